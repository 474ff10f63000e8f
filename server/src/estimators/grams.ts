/** Checks on Grams that every estimator makes before it computes, and the one matrix product they share. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Grams } from './types.ts';

/**
 * Refuses Grams that would turn into silent NaN.
 *
 * @throws LayerifError `failed` naming the matrix, the Gram and the sample.
 */
export function checkGrams(grams: Grams, where = 'this weight matrix'): void {
  const { n, m, parameters, K, C, diagV } = grams;
  const sizes: [string, Float64Array, number, string][] = [
    ['K', K, n * n, `${n} x ${n}`],
    ['C', C, n * m, `${n} x ${m}`],
    ['diagV', diagV, m, `${m}`],
  ];
  for (const [name, values, expected, shape] of sizes) {
    if (values.length !== expected) {
      throw new LayerifError(
        'failed',
        `Gram ${name} of ${where} has ${values.length} numbers, expected ${expected} (${shape}); delete the run folder and score again`,
      );
    }
    const width = name === 'K' ? n : m;
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      const place =
        name === 'diagV'
          ? `validation sample ${i}`
          : `training sample ${Math.floor(i / width)}, ${name === 'K' ? 'training' : 'validation'} sample ${i % width}`;
      throw new LayerifError(
        'failed',
        `Gram ${name} of ${where} is ${values[i]} at ${place} (samples from 0): a gradient overflowed or is not a number; look for extreme weights or that sample's text`,
      );
    }
  }
  if (!(parameters > 0)) throw new LayerifError('failed', `${where} has ${parameters} weights, expected at least 1`);
}

/** Sum of the diagonal of K: the sum of the squared norms of the training gradients. */
export function trace({ n, K }: Pick<Grams, 'n' | 'K'>): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += K[i * n + i];
  return sum;
}

/** Whether every training gradient is zero: then there is nothing to invert and nothing to divide by. */
export function isZero(grams: Pick<Grams, 'n' | 'K'>): boolean {
  return trace(grams) === 0;
}

/**
 * A (n x n) times X (n x m), both row-major. The inner loop runs along rows of X, so it streams through memory;
 * n = 300, m = 50 takes a few milliseconds.
 */
export function multiply(A: Float64Array, X: Float64Array, n: number, m: number, signal?: AbortSignal): Float64Array {
  const product = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    if (i % 64 === 0) signal?.throwIfAborted();
    const row = product.subarray(i * m, (i + 1) * m);
    for (let k = 0; k < n; k++) {
      const a = A[i * n + k];
      const start = k * m;
      for (let j = 0; j < m; j++) row[j] += a * X[start + j];
    }
  }
  return product;
}
