/**
 * Exponent of the heavy tail of a weight spectrum (PL_Alpha_Hill; AlphaPruning, arXiv 2410.10912; WeightWatcher):
 * eigenvalues e_1 <= ... <= e_n of W W^T, Hill's estimator over those from index i0 (from 0), k = n - i0:
 *
 *   alpha = 1 + k / (sum_{i >= i0} ln e_i - k ln e_i0)
 *
 * `mid`: i0 = floor(n / 2). `peak`: of the i0 with e_i0 in [log10(0.95 x), 1.5 x], x the left edge of the fullest of
 * 100 bins of log10 e, the one with the least Kolmogorov-Smirnov distance; the logarithm in the lower bound is the
 * published code's.
 */
import type { TailFit } from '../../../protocol/allocation.ts';

const BINS = 100;

/** @param eigenvalues ascending; those that are zero but for rounding are left out */
export function tailExponents(eigenvalues: Float64Array): Record<TailFit, number> {
  const largest = eigenvalues[eigenvalues.length - 1];
  const noise = largest * eigenvalues.length * Number.EPSILON;
  const e = eigenvalues.filter((value) => value > noise);
  if (e.length < 4) return { mid: NaN, peak: NaN };
  const logs = e.map(Math.log);
  const tails = suffixSums(logs);
  const alpha = (i: number) => {
    const k = e.length - i;
    return 1 + k / (tails[i] - k * logs[i]);
  };
  return { mid: alpha(Math.floor(e.length / 2)), peak: peak(e, alpha) };
}

function peak(e: Float64Array, alpha: (i: number) => number): number {
  const x = 10 ** fullestBin(e.map(Math.log10));
  const [low, high] = [Math.log10(0.95 * x), 1.5 * x];
  let best = { alpha: NaN, distance: Infinity };
  for (let i = 0; i < e.length - 1; i++) {
    if (e[i] < low) continue;
    if (e[i] > high) break;
    const a = alpha(i);
    if (!(a > 1)) continue;
    const k = e.length - i;
    let distance = 0;
    for (let j = 0; j < k; j++) distance = Math.max(distance, Math.abs(1 - (e[i + j] / e[i]) ** (1 - a) - j / k));
    if (distance < best.distance) best = { alpha: a, distance };
  }
  return best.alpha;
}

/** Left edge of the first bin with the most values; the last bin includes its right edge, as torch.histc counts. */
function fullestBin(values: Float64Array): number {
  const [low, high] = [values[0], values[values.length - 1]];
  const width = (high - low) / BINS;
  if (width === 0) return low;
  const counts = new Int32Array(BINS);
  for (const value of values) counts[Math.min(BINS - 1, Math.floor((value - low) / width))]++;
  return low + width * counts.indexOf(Math.max(...counts));
}

/** Sum from each index to the end. */
function suffixSums(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length);
  let total = 0;
  for (let i = values.length - 1; i >= 0; i--) sums[i] = total += values[i];
  return sums;
}
