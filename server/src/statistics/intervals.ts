/** Percentile intervals (Efron 1979) of replicates, and the ranks that values take over replicates. */
import { ranks } from './rankCorrelation.ts';

export type Interval = [low: number, high: number];

/** Linear between order statistics, as numpy's default. @param sorted ascending, at least one @param share 0 .. 1 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/**
 * The central `level` of the replicates.
 *
 * @param level 0 .. 1, such as 0.9
 * @returns null where more than half of the replicates are not defined
 */
export function percentileInterval(replicates: Iterable<number | null>, level: number): Interval | null {
  const all = [...replicates];
  const sorted = Float64Array.from(all.filter((value) => value !== null)).sort();
  if (sorted.length === 0 || sorted.length * 2 < all.length) return null;
  return [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
}

/** From 1 for the largest value; equal values get the mean of the ranks that they take together. */
export function descendingRanks(values: ArrayLike<number>): Float64Array {
  return ranks(Float64Array.from(values, (value) => -value));
}

/**
 * For every item the central `level` of the ranks that it takes over the replicates, rank 1 being the largest value.
 *
 * @param replicates replicates x items
 */
export function rankIntervals(replicates: readonly ArrayLike<number>[], level: number): Interval[] {
  const taken = replicates.map(descendingRanks);
  return Array.from({ length: replicates[0]?.length ?? 0 }, (_, item) => {
    return percentileInterval(
      taken.map((own) => own[item]),
      level,
    )!;
  });
}
