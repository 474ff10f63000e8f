/**
 * The delete-a-group jackknife (Quenouille 1949, Tukey 1958): units are dealt to groups, the statistic is computed
 * again without each group, and the scatter of these values is enlarged to the statistic's own. For statistics that are
 * no mean of values by unit, such as sums of absolute values of a summed gradient.
 */
import type { Interval } from './intervals.ts';
import { studentQuantile } from './student.ts';

/**
 * @param without the statistic without each group; groups are about equally large
 * @param level 0 .. 1, such as 0.9
 * @returns around the value, Student's t with one degree fewer than groups; null for fewer than two groups
 */
export function jackknifeInterval(value: number, without: ArrayLike<number>, level: number): Interval | null {
  const groups = without.length;
  if (groups < 2) return null;
  let mean = 0;
  for (let g = 0; g < groups; g++) mean += without[g] / groups;
  let squares = 0;
  for (let g = 0; g < groups; g++) squares += (without[g] - mean) ** 2;
  const reach = studentQuantile(level, groups - 1) * Math.sqrt(((groups - 1) / groups) * squares);
  return [value - reach, value + reach];
}
