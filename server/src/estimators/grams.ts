/** Checks on Grams that every estimator makes before it computes, and the one matrix product they share. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Draw, Grams } from './types.ts';

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

/**
 * Sum of the diagonal of K: the sum of the squared norms of the training gradients.
 * @param weights one per training sample
 */
export function trace({ n, K }: Pick<Grams, 'n' | 'K'>, weights?: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += weights ? weights[i] * K[i * n + i] : K[i * n + i];
  return sum;
}

/** Whether every training gradient is zero: then there is nothing to invert and nothing to divide by. */
export function isZero(grams: Pick<Grams, 'n' | 'K'>): boolean {
  return trace(grams) === 0;
}

/**
 * A (n x n) times X (n x m), both row-major. Four rows of X at a time run along one row of the product, so that it is
 * read and written a quarter as often.
 */
export function multiply(A: Float64Array, X: Float64Array, n: number, m: number, signal?: AbortSignal): Float64Array {
  const product = new Float64Array(n * m);
  const whole = n - (n % 4);
  for (let i = 0; i < n; i++) {
    if (i % 64 === 0) signal?.throwIfAborted();
    const to = i * m;
    for (let k = 0; k < whole; k += 4) {
      const at = i * n + k;
      const [a0, a1, a2, a3] = [A[at], A[at + 1], A[at + 2], A[at + 3]];
      const x0 = k * m;
      const x1 = x0 + m;
      const x2 = x1 + m;
      const x3 = x2 + m;
      for (let j = 0; j < m; j++) product[to + j] += a0 * X[x0 + j] + a1 * X[x1 + j] + a2 * X[x2 + j] + a3 * X[x3 + j];
    }
    for (let k = whole; k < n; k++) for (let j = 0; j < m; j++) product[to + j] += A[i * n + k] * X[k * m + j];
  }
  return product;
}

/** C v for every draw's weights v of the validation samples: n x draws, row-major. */
export function weightedProducts({ n, m, C }: Pick<Grams, 'n' | 'm' | 'C'>, draws: readonly Draw[]): Float64Array {
  const product = new Float64Array(n * draws.length);
  for (let i = 0; i < n; i++) {
    draws.forEach(({ validation }, d) => {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += C[i * m + j] * validation[j];
      product[i * draws.length + d] = sum;
    });
  }
  return product;
}

/** Number of training samples of a draw, each as often as it is there. */
export function sizeOf({ train }: Draw): number {
  let sum = 0;
  for (const weight of train) sum += weight;
  return sum;
}
