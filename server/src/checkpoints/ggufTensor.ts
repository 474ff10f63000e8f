/** One tensor of a GGUF file as float32. */
import { LayerifError } from '../../../protocol/errors.ts';
import { readTensorBytes } from './fileBytes.ts';
import { requireFinite } from './finite.ts';
import type { GgufTensor } from './gguf.ts';

/**
 * @param pairedHeads number of heads when rows are kept pair by pair: of each head, row 2 i + s goes to row s n / 2 + i (n rows a
 *   head), which is the order of the Hugging Face layout; null leaves the order alone
 * @returns numbers in row-major order
 * @throws LayerifError `badModel`: the file became shorter, rows do not divide into heads, NaN or infinite values
 */
export function readTensor(file: string, tensor: GgufTensor, pairedHeads: number | null = null): Float32Array {
  const { name, type, shape } = tensor;
  const total = shape.reduce((product, n) => product * n, 1);
  const raw = readTensorBytes({ file, ...tensor });
  const values = new Float32Array(total);
  if (pairedHeads === null) type.decode(raw, 0, values, 0, total);
  else {
    const rows = shape[0];
    const perHead = rows / pairedHeads;
    if (perHead % 2 !== 0) {
      throw new LayerifError(
        'badModel',
        `${file}: the ${rows} rows of ${name} do not divide into ${pairedHeads} heads of an even size`,
      );
    }
    const length = total / rows;
    const bytes = tensor.byteLength / rows;
    for (let row = 0; row < rows; row++) {
      const inHead = row % perHead;
      const to = row - inHead + (inHead % 2) * (perHead / 2) + (inHead >> 1);
      type.decode(raw, row * bytes, values, to * length, length);
    }
  }
  requireFinite(values, { file, name });
  return values;
}
