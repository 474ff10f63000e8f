/**
 * The inverse of the Cholesky factor, by halves, so that nearly all the work is large matrix products:
 *
 *   A = [ A₁  · ]   L₁₁⁻¹ from A₁,  L₂₁ = A₂₁ L₁₁⁻ᵀ,  L₂₂⁻¹ from A₂ - L₂₁ L₂₁ᵀ,   L⁻¹ = [ L₁₁⁻¹                    0    ]
 *       [ A₂₁ A₂]                                                                      [ -L₂₂⁻¹ L₂₁ L₁₁⁻¹       L₂₂⁻¹ ]
 */
import type { Products } from './types.ts';

/** Below this size a plain loop is as fast as a call of the product. */
const SMALL = 96;

/**
 * @param matrix size x size, symmetric positive definite; only its lower triangle is read
 * @returns L⁻¹ with L Lᵀ = A, lower triangular; null when A is not positive definite
 */
export async function inverseCholesky(
  matrix: Float64Array,
  size: number,
  products: Products,
): Promise<Float64Array | null> {
  if (size <= SMALL) return smallInverseCholesky(matrix, size);
  const p = size >> 1;
  const q = size - p;
  const first = await inverseCholesky(block(matrix, size, 0, 0, p, p), p, products);
  if (!first) return null;
  const l21 = await products.multiply(block(matrix, size, p, 0, q, p), transpose(first, p, p), q, p, p);
  const rest = block(matrix, size, p, p, q, q);
  const square = await products.multiply(l21, transpose(l21, q, p), q, p, q);
  for (let i = 0; i < rest.length; i++) rest[i] -= square[i];
  const second = await inverseCholesky(rest, q, products);
  if (!second) return null;
  const corner = await products.multiply(second, await products.multiply(l21, first, q, p, p), q, q, p);

  const inverse = new Float64Array(size * size);
  for (let r = 0; r < p; r++) inverse.set(first.subarray(r * p, r * p + r + 1), r * size);
  for (let r = 0; r < q; r++) {
    const at = (p + r) * size;
    for (let c = 0; c < p; c++) inverse[at + c] = -corner[r * p + c];
    inverse.set(second.subarray(r * q, r * q + r + 1), at + p);
  }
  return inverse;
}

function smallInverseCholesky(matrix: Float64Array, n: number): Float64Array | null {
  const l = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i > j) l[i * n + j] = sum / l[j * n + j];
      else if (sum > 0) l[j * n + j] = Math.sqrt(sum);
      else return null;
    }
  }
  const inverse = new Float64Array(n * n);
  for (let c = 0; c < n; c++) {
    inverse[c * n + c] = 1 / l[c * n + c];
    for (let r = c + 1; r < n; r++) {
      let sum = 0;
      for (let k = c; k < r; k++) sum += l[r * n + k] * inverse[k * n + c];
      inverse[r * n + c] = -sum / l[r * n + r];
    }
  }
  return inverse;
}

function block(
  a: Float64Array,
  width: number,
  row: number,
  column: number,
  rows: number,
  columns: number,
): Float64Array {
  const part = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    const at = (row + r) * width + column;
    part.set(a.subarray(at, at + columns), r * columns);
  }
  return part;
}

function transpose(a: Float64Array, rows: number, columns: number): Float64Array {
  const t = new Float64Array(a.length);
  const TILE = 32; // both sides of the copy stay in the cache
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const [rEnd, cEnd] = [Math.min(rows, r0 + TILE), Math.min(columns, c0 + TILE)];
      for (let r = r0; r < rEnd; r++) for (let c = c0; c < cEnd; c++) t[c * rows + r] = a[r * columns + c];
    }
  }
  return t;
}
