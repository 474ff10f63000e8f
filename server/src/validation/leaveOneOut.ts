/**
 * Influence against retraining on a small classifier (Koh & Liang 2017, arXiv 1703.04730; Basu et al. 2021, arXiv
 * 2006.14651). For training row i and a test loss L, with H the exact Hessian of the regularised objective at its
 * minimum:
 *
 *   predicted change of L when i is left out = ∇Lᵀ H⁻¹ ∇ℓ(zᵢ) / n,     true change = L(θ₋ᵢ) − L(θ)
 *
 * θ₋ᵢ is trained from θ to a gradient of about zero with the same weight decay, which is part of H.
 */
import { Matrix } from 'ml-matrix';
import { Curvature, minimise } from './newton.ts';
import type { Classified, Perceptron } from './perceptron.ts';
import { nth } from '../lists/nth.ts';

export interface Optimum {
  theta: Float64Array;
  gradientNorm: number;
  curvature: Curvature;
}

/** Rows with weight 0 are left out of the training. @param damping of a proximal term damping/2 ‖θ − start‖² */
export function trainFrom(
  network: Perceptron,
  start: Float64Array,
  { weights, known, damping = 0 }: { weights?: ArrayLike<number>; known?: Curvature; damping?: number } = {},
): { theta: Float64Array; gradientNorm: number } {
  const away = (theta: Float64Array) => theta.reduce((sum, v, k) => sum + (v - nth(start, k)) ** 2, 0);
  const f = {
    value: (theta: Float64Array) => network.objective(theta, weights) + (damping / 2) * away(theta),
    gradient: (theta: Float64Array) =>
      network.gradient(theta, weights).map((g, k) => g + damping * (nth(theta, k) - nth(start, k))),
    hessian: (theta: Float64Array) => {
      const H = network.hessian(theta, weights);
      for (let k = 0; k < network.size; k++) H.set(k, k, H.get(k, k) + damping);
      return H;
    },
  };
  return minimise(f, start, known ? { known } : {});
}

export function optimum(network: Perceptron, start: Float64Array): Optimum {
  const { theta, gradientNorm } = trainFrom(network, start);
  return { theta, gradientNorm, curvature: new Curvature(network.hessian(theta)) };
}

/**
 * Predicted changes by the exact Hessian and with H = I.
 * @param rows of the training data
 * @param test the rows whose mean loss is L
 * @param damping added to H, which has the weight decay in it already
 */
export function predictedChanges(
  network: Perceptron,
  { theta, curvature }: Optimum,
  rows: readonly number[],
  test: Classified,
  damping = 0,
): { exact: Float64Array; identity: Float64Array } {
  const g: Matrix = network.sampleGradients(theta);
  const query = meanRow(network.sampleGradients(theta, test));
  const solved = curvature.solve(query, (value) => value + damping);
  const along = (direction: Float64Array, row: number) => {
    let sum = 0;
    for (let k = 0; k < direction.length; k++) sum += nth(direction, k) * g.get(row, k);
    return sum / network.data.rows;
  };
  return {
    exact: Float64Array.from(rows, (row) => along(solved, row)),
    identity: Float64Array.from(rows, (row) => along(query, row)),
  };
}

/**
 * Change of every test row's loss when each group of rows is left out, retrained from the optimum.
 * @param damping as above
 */
export function trueChangesByRow(
  network: Perceptron,
  { theta, curvature }: Optimum,
  groups: readonly (readonly number[])[],
  test: Classified,
  damping = 0,
): Float64Array[] {
  const before = network.losses(theta, test);
  return groups.map((group) => {
    const weights = new Float64Array(network.data.rows).fill(1);
    for (const row of group) weights[row] = 0;
    // The curvature at the optimum is close to that without a few rows, but not with a proximal term on top.
    const known = damping === 0 ? { known: curvature } : {};
    const retrained = trainFrom(network, theta, { weights, damping, ...known });
    return network.losses(retrained.theta, test).map((loss, j) => loss - nth(before, j));
  });
}

/** The same for the mean test loss: one number per group. */
export function trueChanges(...asked: Parameters<typeof trueChangesByRow>): Float64Array {
  return Float64Array.from(trueChangesByRow(...asked), (row) => row.reduce((sum, v) => sum + v, 0) / row.length);
}

/**
 * What estimators read of the classifier (products of per-sample gradients), and B with the exact Hessian beside it.
 * @returns K n x n, C and exact n x m, diagV m, row-major
 */
export function sampleProducts(network: Perceptron, { theta, curvature }: Optimum, test: Classified, damping = 0) {
  const G = network.sampleGradients(theta);
  const V = network.sampleGradients(theta, test);
  const solved = Array.from({ length: V.rows }, (_, j) => curvature.solve(V.getRow(j), (value) => value + damping));
  const flat = (matrix: Matrix) => Float64Array.from(matrix.to1DArray());
  return {
    n: G.rows,
    m: V.rows,
    parameters: network.size,
    K: flat(G.mmul(G.transpose())),
    C: flat(G.mmul(V.transpose())),
    diagV: Float64Array.from({ length: V.rows }, (_, j) => V.getRow(j).reduce((sum, v) => sum + v * v, 0)),
    exact: flat(G.mmul(new Matrix(solved).transpose())),
  };
}

function meanRow(matrix: Matrix): Float64Array {
  return Float64Array.from({ length: matrix.columns }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < matrix.rows; i++) sum += matrix.get(i, k);
    return sum / matrix.rows;
  });
}
