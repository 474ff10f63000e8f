/** One tensor of a GGUF file as float32. */
import { readTensorBytes } from './fileBytes.ts';
import { requireFinite } from './finite.ts';
import type { GgufTensor } from './gguf.ts';
import { rowsOf } from './ggufParts.ts';
import type { Part } from './ggufParts.ts';

/**
 * @returns numbers in row-major order, of the whole tensor as it is stored or of a part in the Hugging Face layout
 * @throws LayerifError `badModel`: the file became shorter, NaN or infinite values
 */
export function readTensor(file: string, tensor: GgufTensor, part: Part | null = null): Float32Array {
  const { name, type, shape, offset, byteLength } = tensor;
  const all = rowsOf(shape);
  const { first, rows, order, add, transposed } = part ?? { ...nothing, rows: all };
  const length = shape.reduce((product, n) => product * n, 1) / all;
  const bytes = byteLength / all;
  const raw = readTensorBytes({ file, name, offset: offset + first * bytes, byteLength: rows * bytes });
  let values = new Float32Array(rows * length);
  if (order === null) type.decode(raw, 0, values, 0, values.length);
  else for (let row = 0; row < rows; row++) type.decode(raw, row * bytes, values, order(row) * length, length);
  requireFinite(values, { file, name });
  if (add !== 0) values = values.map((value) => value + add);
  return transposed ? transpose(values, rows, length) : values;
}

const nothing: Pick<Part, 'first' | 'order' | 'add' | 'transposed'> = {
  first: 0,
  order: null,
  add: 0,
  transposed: false,
};

/** [rows, columns] -> [columns, rows] */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column];
  }
  return turned;
}
