/**
 * Scatter from samples that are left out (delete-d jackknife, Shao & Wu 1989; subsampling, Politis & Romano 1994): a
 * share of the samples is left out at random, and the deviations of what is computed from the rest are enlarged to the
 * scatter of the whole.
 *
 * Drawing with replacement is wrong where samples are inverted against each other (fisher, lissa, relatif): a sample
 * drawn twice adds nothing to the rank of K, so that every draw looks like fewer samples, and the interval misses even
 * the score of the samples at hand. Without replacement a draw is an honest smaller sample. For any symmetric function
 * of independent samples the enlarged variance is, on average, at least the true one (Efron & Stein 1981). Training and
 * validation samples are left out in draws of their own, and the deviations of both are added.
 */
import type { Random } from '../random/random.ts';
import { quantile } from './intervals.ts';
import type { Interval } from './intervals.ts';
import { studentQuantile } from './student.ts';

/** Share of the samples that a draw leaves out, at least one. */
const LEFT_OUT = 0.2;

/** How many of `count` samples a draw leaves out; 0 where there is only one. */
export function leftOut(count: number): number {
  return count < 2 ? 0 : Math.max(1, Math.round(LEFT_OUT * count));
}

/** 1 for the samples of a draw, 0 for those left out. */
export function subsample(count: number, random: Random): Float64Array {
  const weights = new Float64Array(count).fill(1);
  for (const i of random.subset(count, leftOut(count))) weights[i] = 0;
  return weights;
}

/**
 * Deviations as large as those of the value on samples as many as there are.
 *
 * @param drawn values on draws of `count` samples without `leftOut(count)`
 * @param scale the value's scale on all samples over that on a draw, such as count / kept for a sum
 */
export function enlarged(drawn: ArrayLike<number>, count: number, scale: number): Float64Array {
  const out = leftOut(count);
  if (out === 0) return new Float64Array(drawn.length);
  let mean = 0;
  for (let d = 0; d < drawn.length; d++) mean += drawn[d] / drawn.length;
  const factor = scale * Math.sqrt((count - out) / out);
  return Float64Array.from(drawn, (value) => factor * (value - mean));
}

/**
 * Deviations of both kinds together, widened as Student's t is beside the normal distribution: few samples know their
 * own scatter badly.
 *
 * @param parts deviations of independent kinds with the number of samples of each
 */
export function together(parts: readonly { deviations: Float64Array; count: number }[], level: number): Float64Array {
  const variances = parts.map(({ deviations }) => deviations.reduce((sum, x) => sum + x * x, 0));
  const total = variances.reduce((sum, v) => sum + v, 0);
  const spread = variances.reduce((sum, v, k) => sum + (v > 0 ? v ** 2 / (parts[k].count - 1) : 0), 0);
  const widened = spread > 0 ? studentQuantile(level, total ** 2 / spread) / studentQuantile(level, 1e9) : 1;
  return Float64Array.from(parts[0].deviations, (_, d) =>
    parts.reduce((sum, { deviations }) => sum + widened * deviations[d], 0),
  );
}

/** The value and, on both sides, what `level` of the deviations do not exceed: it holds the value. */
export function symmetricInterval(value: number, deviations: ArrayLike<number>, level: number): Interval {
  const sizes = Float64Array.from(deviations, Math.abs).sort();
  const reach = quantile(sizes, level);
  return [value - reach, value + reach];
}
