/**
 * The n x n system behind every exact inverse of the damped empirical Fisher, (K + nλI) X = R (Woodbury identity), for
 * all training samples or for weighted ones: with W their weights, K is replaced by W½ K W½ and n by the sum of the
 * weights; samples without weight drop out, which is what makes a draw cost half of the whole.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { choleskyInPlace, choleskySolve } from '../linear/cholesky.ts';
import { sizeOf } from './grams.ts';
import type { Draw, Grams } from './types.ts';

/** Largest relative residual |A X − R| / |R| that is accepted: about 1e10 of condition number in float64. */
const residualLimit = 1e-6;

export interface DampedSystem {
  /** Training samples with a weight, ascending. */
  members: Int32Array;
  /** Square roots of their weights. */
  roots: Float64Array;
  /** Sum of the weights: n. */
  size: number;
  /** W½ K W½ over the members, symmetric, row-major. */
  kernel: Float64Array;
  /** Cholesky factor of kernel + size λ I, in the lower triangle. */
  factor: Float64Array;
  lambda: number;
}

interface Options {
  where?: string | undefined;
  signal?: AbortSignal | undefined;
  draw?: Draw | undefined;
}

/** @throws LayerifError `failed` where the damping drowns in the rounding of K */
export function dampedSystem(
  { n, K }: Pick<Grams, 'n' | 'K'>,
  lambda: number,
  { where = 'this weight matrix', signal, draw }: Options = {},
): DampedSystem {
  const members = Int32Array.from(Array.from({ length: n }, (_, i) => i).filter((i) => !draw || draw.train[i] > 0));
  const roots = Float64Array.from(members, (i) => (draw ? Math.sqrt(draw.train[i]) : 1));
  const size = draw ? sizeOf(draw) : n;
  const count = members.length;
  const kernel = new Float64Array(count * count);
  for (let a = 0; a < count; a++) {
    const from = members[a] * n;
    const root = roots[a];
    // The factor reads the lower triangle alone, so that a K which is not exactly symmetric does no harm.
    for (let b = 0; b < count; b++) kernel[a * count + b] = root * roots[b] * K[from + members[b]];
  }
  const factor = kernel.slice();
  for (let a = 0; a < count; a++) factor[a * count + a] += size * lambda;
  if (!choleskyInPlace(factor, count, signal)) throw singular(where, lambda, Infinity);
  return { members, roots, size, kernel, factor, lambda };
}

/**
 * X with (kernel + size λ I) X = R.
 *
 * @param R members x m, row-major
 * @throws LayerifError `failed` where the residual shows that X is wrong
 */
export function solve(system: DampedSystem, R: Float64Array, m: number, where = 'this weight matrix'): Float64Array {
  const { members, factor, kernel, size, lambda } = system;
  const count = members.length;
  const X = choleskySolve(factor, count, R.slice(), m);
  let [difference, total] = [0, 0];
  const row = new Float64Array(m);
  for (let a = 0; a < count; a++) {
    for (let j = 0; j < m; j++) row[j] = size * lambda * X[a * m + j] - R[a * m + j];
    for (let b = 0; b < count; b++) {
      const k = kernel[a * count + b];
      for (let j = 0; j < m; j++) row[j] += k * X[b * m + j];
    }
    for (let j = 0; j < m; j++) {
      difference += row[j] ** 2;
      total += R[a * m + j] ** 2;
    }
  }
  const residual = total === 0 ? 0 : Math.sqrt(difference / total); // R zero: X zero
  if (!(residual <= residualLimit)) throw singular(where, lambda, residual);
  return X;
}

function singular(where: string, lambda: number, residual: number): LayerifError {
  return new LayerifError(
    'failed',
    `the Fisher of ${where} cannot be inverted with damping ${lambda.toExponential(2)} (residual ${residual.toExponential(1)}, allowed ${residualLimit}): ` +
      'training gradients are linearly dependent (duplicate samples?); raise the damping factor or use estimator datainf',
  );
}
