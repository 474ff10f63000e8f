/** Kernels over vectors that lie in longer arrays, row after row. */

/** Inner product of the `size` numbers from place `a` on with those from place `b` on. */
export function dotAt(data: ArrayLike<number>, a: number, b: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += data[a + i] * data[b + i];
  return sum;
}

/** Adds `from` to `into`, place by place. */
export function addTo(into: Float64Array, from: ArrayLike<number>): void {
  for (let i = 0; i < into.length; i++) into[i] += from[i];
}

/** Of an n x n matrix. */
export function diagonal(matrix: ArrayLike<number>, n: number): Float64Array<ArrayBuffer> {
  const found = new Float64Array(n);
  for (let i = 0; i < n; i++) found[i] = matrix[i * n + i];
  return found;
}

/** Inner product of a vector with the numbers from place `at` on. */
export function dotWith(data: ArrayLike<number>, at: number, vector: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += data[at + i] * vector[i];
  return sum;
}

/** Sum of the values at these places, which may repeat. */
export function sumAt(values: ArrayLike<number>, places: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < places.length; i++) sum += values[places[i]];
  return sum;
}
