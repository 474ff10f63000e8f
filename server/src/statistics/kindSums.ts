/** Sums over items of two kinds, each by kind: what a permutation of the kinds computes again and again. */

/** Of kind 0 and of kind 1. */
export type ByKind = [number, number];

/**
 * @param measured numbers of each item, by name; an item whose `entries` are 0 is left out
 * @param of kind of each item, 0 or 1 @param items with repeats
 */
export function kindSums(
  { variance, below, entries }: Record<'variance' | 'below' | 'entries', ArrayLike<number>>,
  of: ArrayLike<number>,
  items: ArrayLike<number>,
): Record<'count' | 'variance' | 'below' | 'entries', ByKind> {
  const count: ByKind = [0, 0];
  const sums: Record<'variance' | 'below' | 'entries', ByKind> = { variance: [0, 0], below: [0, 0], entries: [0, 0] };
  for (let k = 0; k < items.length; k++) {
    const i = items[k];
    if (entries[i] === 0) continue;
    count[of[i]]++;
    sums.variance[of[i]] += variance[i];
    sums.below[of[i]] += below[i];
    sums.entries[of[i]] += entries[i];
  }
  return { count, ...sums };
}
