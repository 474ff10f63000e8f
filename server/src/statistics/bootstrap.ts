/**
 * The bootstrap (Efron 1979): units are drawn with replacement as often as there are, and the statistic of the drawn
 * ones is computed again. How it scatters tells how much it would on other samples of the same kind.
 */
import type { Random } from '../random/random.ts';
import { percentileInterval } from './intervals.ts';
import type { Interval } from './intervals.ts';

export interface BootstrapOptions {
  random: Random;
  /** Default 200. */
  replicates?: number;
  /** Share of the replicates inside the interval; default 0.9. */
  level?: number;
}

/** `count` indices below `count`, with repeats. */
export function resample(count: number, random: Random): Int32Array {
  return Int32Array.from({ length: count }, () => random.integer(count));
}

/** How often each of `count` units is drawn; adds up to `count`. */
export function resampleCounts(count: number, random: Random): Float64Array {
  const counts = new Float64Array(count);
  for (let i = 0; i < count; i++) counts[random.integer(count)]++;
  return counts;
}

/**
 * @param statistic of the units with these indices; null where it is not defined
 * @returns null where more than half of the replicates are not defined
 */
export function bootstrapInterval(
  count: number,
  statistic: (units: Int32Array) => number | null,
  { random, replicates = 200, level = 0.9 }: BootstrapOptions,
): Interval | null {
  return percentileInterval(
    Array.from({ length: replicates }, () => statistic(resample(count, random))),
    level,
  );
}
