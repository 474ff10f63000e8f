/**
 * Kendall's rank correlation, τ-b (Kendall 1945): of all pairs, how many more are in the same order in both lists than
 * in opposite order; pairs that are tied in a list count for neither.
 *
 *     τ_b = (concordant - discordant) / sqrt((pairs - ties in a) (pairs - ties in b))
 */

/** @returns -1 .. 1; null where one of the lists has fewer than two values or all of them equal. n² / 2 comparisons. */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length) throw new Error(`rank correlation of ${a.length} and ${b.length} values`);
  let [agreement, untiedA, untiedB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const inA = Math.sign(a[i] - a[j]);
      const inB = Math.sign(b[i] - b[j]);
      agreement += inA * inB;
      untiedA += Math.abs(inA);
      untiedB += Math.abs(inB);
    }
  }
  return untiedA > 0 && untiedB > 0 ? agreement / Math.sqrt(untiedA * untiedB) : null;
}
