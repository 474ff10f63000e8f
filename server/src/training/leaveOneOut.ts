/**
 * Influence against retraining on a small classifier (Koh & Liang 2017, arXiv 1703.04730; Basu et al. 2021, arXiv 2006.14651). For
 * training row i and a test loss L, with H the exact Hessian of the regularised objective at its minimum:
 *
 *   predicted change of L when i is left out = ∇Lᵀ H⁻¹ ∇ℓ(zᵢ) / n,     true change = L(θ₋ᵢ) − L(θ)
 *
 * θ₋ᵢ is trained from θ to a gradient of about zero with the same weight decay, which is part of H.
 */
import type { Matrix } from 'ml-matrix';
import { Curvature, minimise } from './newton.ts';
import type { Classified, Perceptron } from './perceptron.ts';

export interface Optimum {
  theta: Float64Array;
  gradientNorm: number;
  curvature: Curvature;
}

/** Rows with weight 0 are left out of the training. */
export function trainFrom(
  network: Perceptron,
  start: Float64Array,
  weights?: ArrayLike<number>,
  known?: Curvature,
): { theta: Float64Array; gradientNorm: number } {
  const f = {
    value: (theta: Float64Array) => network.objective(theta, weights),
    gradient: (theta: Float64Array) => network.gradient(theta, weights),
    hessian: (theta: Float64Array) => network.hessian(theta, weights),
  };
  return minimise(f, start, known ? { known } : {});
}

export function optimum(network: Perceptron, start: Float64Array): Optimum {
  const { theta, gradientNorm } = trainFrom(network, start);
  return { theta, gradientNorm, curvature: new Curvature(network.hessian(theta)) };
}

/** Predicted changes by the exact Hessian and with H = I. @param rows of the training data @param test the rows whose mean loss is L */
export function predictedChanges(
  network: Perceptron,
  { theta, curvature }: Optimum,
  rows: readonly number[],
  test: Classified,
): { exact: Float64Array; identity: Float64Array } {
  const g: Matrix = network.sampleGradients(theta);
  const query = meanRow(network.sampleGradients(theta, test));
  const solved = curvature.solve(query);
  const along = (direction: Float64Array, row: number) => {
    let sum = 0;
    for (let k = 0; k < direction.length; k++) sum += direction[k] * g.get(row, k);
    return sum / network.data.rows;
  };
  return {
    exact: Float64Array.from(rows, (row) => along(solved, row)),
    identity: Float64Array.from(rows, (row) => along(query, row)),
  };
}

/** Change of the mean test loss when each group of rows is left out, retrained from the optimum. */
export function trueChanges(
  network: Perceptron,
  { theta, curvature }: Optimum,
  groups: readonly (readonly number[])[],
  test: Classified,
): Float64Array {
  const before = mean(network.losses(theta, test));
  return Float64Array.from(groups, (group) => {
    const weights = new Float64Array(network.data.rows).fill(1);
    for (const row of group) weights[row] = 0;
    const retrained = trainFrom(network, theta, weights, curvature);
    return mean(network.losses(retrained.theta, test)) - before;
  });
}

function meanRow(matrix: Matrix): Float64Array {
  return Float64Array.from({ length: matrix.columns }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < matrix.rows; i++) sum += matrix.get(i, k);
    return sum / matrix.rows;
  });
}

function mean(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}
