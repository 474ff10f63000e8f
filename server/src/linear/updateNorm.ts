/** The norm of a low-rank update. */

/**
 * ‖scale · B A‖ (Frobenius), without making the product: trace((BᵀB)(AAᵀ)).
 * @param A rank x columns, row by row
 * @param B rows x rank, row by row
 */
export function updateNorm(A: ArrayLike<number>, B: ArrayLike<number>, rank: number, scale: number): number {
  const columns = A.length / rank;
  const rows = B.length / rank;
  let sum = 0;
  for (let r = 0; r < rank; r++)
    for (let s = 0; s < rank; s++) {
      let [left, right] = [0, 0];
      for (let i = 0; i < rows; i++) left += B[i * rank + r] * B[i * rank + s];
      for (let j = 0; j < columns; j++) right += A[r * columns + j] * A[s * columns + j];
      sum += left * right;
    }
  return Math.abs(scale) * Math.sqrt(Math.max(0, sum));
}
