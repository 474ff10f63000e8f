/** Weights that are not numbers would turn every score into NaN. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { TensorInfo } from './types.ts';

/** Exponent bits of a float32; all set means NaN or infinite. */
const EXPONENT = 0x7f800000;

/** @throws LayerifError `badModel` that names the tensor and the first bad element */
export function requireFinite(values: Float32Array, info: Pick<TensorInfo, 'file' | 'name'>): void {
  if (allFinite(values)) return;
  const at = values.findIndex((value) => !Number.isFinite(value));
  throw new LayerifError(
    'badModel',
    `${info.file}: tensor ${info.name} holds ${values[at]} at element ${at}; the weights are damaged, score another checkpoint`,
  );
}

export function allFinite(values: Float32Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  let bad = 0;
  // Adding one to a full exponent carries into the sign's bit, which the mask has cleared: no branch in the loop.
  for (let i = 0; i < bits.length; i++) bad |= (bits[i] & EXPONENT) + (1 << 23);
  return bad >= 0;
}
