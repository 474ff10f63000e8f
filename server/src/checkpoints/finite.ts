/** Weights that are not numbers would turn every score into NaN. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { TensorInfo } from './types.ts';

/** @throws LayerifError `badModel` that names the tensor and the first bad element */
export function requireFinite(values: Float32Array, info: Pick<TensorInfo, 'file' | 'name'>): void {
  let poison = 0; // 0 x anything finite is 0; NaN and infinity stay NaN
  for (let i = 0; i < values.length; i++) poison += values[i] * 0;
  if (poison === 0) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new LayerifError(
    'badModel',
    `${info.file}: tensor ${info.name} holds ${values[at]} at element ${at}; the weights are damaged, score another checkpoint`,
  );
}
