/**
 * Two measurements of the same documents: the mean difference with a percentile interval over resampled documents, and
 * the sign-flip test (Fisher 1935): if nothing were different, each difference could as well have the other sign. All
 * signs are gone through where there are at most 12 differences that are not zero; else p = (1 + at least as extreme) /
 * (1 + drawn).
 */
import type { Random } from '../random/random.ts';
import { resample } from './bootstrap.ts';
import { percentileInterval } from './intervals.ts';
import type { Interval } from './intervals.ts';

export interface PairedDifference {
  /** Mean of a - b. */
  difference: number;
  interval: Interval | null;
  /** Two-sided; 1 where no document differs. */
  p: number;
  documents: number;
}

const REPLICATES = 2000;
const EXACT = 12;
/** Sums that differ by less than this share of the largest are equal. */
const TOLERANCE = 1e-12;

/** @param level share of the replicates inside the interval. @throws Error for lists of different length or none */
export function pairedDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  random: Random,
  level = 0.95,
): PairedDifference {
  const n = a.length;
  if (n === 0 || n !== b.length) throw new Error(`paired difference of ${n} and ${b.length} documents`);
  const differences = Float64Array.from({ length: n }, (_, i) => a[i] - b[i]);
  const mean = (indices: Iterable<number>): number => {
    let sum = 0;
    for (const i of indices) sum += differences[i];
    return sum / n;
  };
  const interval =
    n < 2
      ? null
      : percentileInterval(
          Array.from({ length: REPLICATES }, () => mean(resample(n, random))),
          level,
        );
  return { difference: mean(differences.keys()), interval, p: signFlip(differences, random), documents: n };
}

function signFlip(all: Float64Array, random: Random): number {
  const moved = all.filter((value) => value !== 0);
  const observed = Math.abs(moved.reduce((sum, value) => sum + value, 0));
  const scale = moved.reduce((sum, value) => sum + Math.abs(value), 0);
  const extreme = (sign: (i: number) => boolean): boolean => {
    let sum = 0;
    for (let i = 0; i < moved.length; i++) sum += sign(i) ? moved[i] : -moved[i];
    return Math.abs(sum) >= observed - TOLERANCE * scale;
  };
  let count = 0;
  if (moved.length <= EXACT) {
    const patterns = 2 ** moved.length;
    for (let pattern = 0; pattern < patterns; pattern++) if (extreme((i) => (pattern & (1 << i)) !== 0)) count++;
    return count / patterns;
  }
  for (let draw = 0; draw < REPLICATES; draw++) if (extreme(() => random.uniform() < 0.5)) count++;
  return (1 + count) / (1 + REPLICATES);
}
