/** How the values of a score of rows lie: least, quartiles and largest, as numpy's `quantile` has them. */
import { quantile } from '../../statistics/intervals.ts';

/** @param values at least one, in any order */
export function quartiles(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share));
}
