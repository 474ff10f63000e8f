/**
 * Overlap of the k largest of two lists, beside what chance gives: for a random order it is hypergeometric, with mean
 * share k / n. Where values are equal at the edge, those with the lower index count as larger.
 */

export interface TopKOverlap {
  k: number;
  /** Items among the k largest of both. */
  shared: number;
  /** shared / k. */
  overlap: number;
  /** The mean of `overlap` when b's order is random: k / n. */
  chance: number;
  /** Probability of at least as many shared items when b's order is random. */
  p: number;
}

/** Indices of the k largest values, largest first. */
export function topK(values: ArrayLike<number>, k: number): number[] {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[j] - values[i] || i - j);
  return order.slice(0, k);
}

/** @param k 1 .. n */
export function topKOverlap(a: ArrayLike<number>, b: ArrayLike<number>, k: number): TopKOverlap {
  if (a.length !== b.length) throw new Error(`overlap of ${a.length} and ${b.length} values`);
  const n = a.length;
  if (!(k >= 1 && k <= n)) throw new Error(`overlap of the ${k} largest of ${n} values`);
  const inA = new Set(topK(a, k));
  const shared = topK(b, k).filter((i) => inA.has(i)).length;
  let p = 0;
  for (let x = shared; x <= k; x++) p += chanceOfShared(n, k, x);
  return { k, shared, overlap: shared / k, chance: k / n, p: Math.min(1, p) };
}

/** P(x of k drawn are among the k marked ones of n): hypergeometric. */
export function chanceOfShared(n: number, k: number, x: number): number {
  if (k - x > n - k) return 0;
  return Math.exp(logChoose(k, x) + logChoose(n - k, k - x) - logChoose(n, k));
}

function logChoose(n: number, k: number): number {
  let sum = 0;
  for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
  return sum;
}
