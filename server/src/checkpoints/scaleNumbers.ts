/** Kernels of `scaledWeights.ts`: scales that go into the numbers of a tensor. */
import { float4 } from './smallFloats.ts';

/** @param values matrices one after the other, each row-major @param block rows and columns of one scale */
export function multiplyBlocks(
  values: Float32Array,
  shape: readonly number[],
  [high, wide]: readonly [number, number],
  scales: Float32Array,
): void {
  const [rows, columns] = shape.slice(-2);
  const [down, across] = [Math.ceil(rows / high), Math.ceil(columns / wide)];
  const matrices = values.length / (rows * columns);
  for (let matrix = 0; matrix < matrices; matrix++) {
    for (let row = 0; row < rows; row++) {
      const from = (matrix * rows + row) * columns;
      const first = (matrix * down + Math.floor(row / high)) * across;
      for (let b = 0; b < across; b++) {
        const scale = scales[first + b];
        for (let column = b * wide, end = Math.min(columns, column + wide); column < end; column++)
          values[from + column] *= scale;
      }
    }
  }
}

/** @param values [experts, columns, rows], filled @param packed [experts, rows, columns / 2] */
export function unpackMxfp4(
  values: Float32Array,
  shape: readonly number[],
  packed: Uint8Array,
  exponents: Uint8Array,
): void {
  const [experts, columns, rows] = shape;
  let at = 0;
  for (let expert = 0; expert < experts; expert++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column += 2, at++) {
        // 2 at numbers come before this byte, so its group is at / 16.
        const scale = 2 ** (exponents[at >> 4] - 127);
        const to = (expert * columns + column) * rows + row;
        values[to] = scale * float4[packed[at] & 15];
        values[to + rows] = scale * float4[packed[at] >> 4];
      }
    }
  }
}
