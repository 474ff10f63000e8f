/**
 * Jaccard index of the k largest of two lists, |A and B| / |A or B|, beside its mean where one of the orders is random.
 * Two random sets of three quarters share 0.60 by chance, of one quarter 0.14: without it an index says nothing.
 */
import { chanceOfShared, topKOverlap } from './topK.ts';

export interface JaccardOfTop {
  k: number;
  shared: number;
  jaccard: number;
  /** Mean for a random order. */
  chance: number;
  /** Probability of at least as many shared items for a random order. */
  p: number;
}

/** @param k 1 .. n */
export function jaccardOfTop(a: ArrayLike<number>, b: ArrayLike<number>, k: number): JaccardOfTop {
  const { shared, p } = topKOverlap(a, b, k);
  const index = (both: number) => both / (2 * k - both);
  let chance = 0;
  for (let both = 0; both <= k; both++) chance += chanceOfShared(a.length, k, both) * index(both);
  return { k, shared, jaccard: index(shared), chance, p };
}
