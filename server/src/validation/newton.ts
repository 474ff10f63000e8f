/**
 * Minimises a smooth function to a gradient of about zero, which influence functions assume and gradient steps do not
 * reach.
 *
 * Saddle-free Newton (Dauphin et al. 2014, arXiv 1406.2572): θ ← θ − t Q max(|Λ|, floor)⁻¹ Qᵀ g with H = Q Λ Qᵀ, and t
 * halved until the function falls. It leaves saddles along directions of negative curvature and is Newton's method
 * where H is positive definite. The eigenvectors are kept while the gradient falls tenfold a step (chord iterations),
 * as it does close to a minimum.
 */
import type { Matrix } from 'ml-matrix';
import { symmetricEigen } from '../linear/eigenvectors.ts';

export interface Smooth {
  value(theta: Float64Array): number;
  gradient(theta: Float64Array): Float64Array;
  hessian(theta: Float64Array): Matrix;
}

export interface Minimum {
  theta: Float64Array;
  /** Euclidean norm of the gradient there. */
  gradientNorm: number;
  steps: number;
}

/** H = Q Λ Qᵀ, and what follows from it. */
export class Curvature {
  readonly values: Float64Array;
  readonly #vectors: Float64Array;

  /** @param hessian symmetric */
  constructor(hessian: Matrix) {
    const { values, vectors } = symmetricEigen(Float64Array.from(hessian.to1DArray()), hessian.rows);
    this.values = values;
    this.#vectors = vectors;
  }

  get smallest(): number {
    return Math.min(...this.values);
  }

  get largest(): number {
    return Math.max(...this.values);
  }

  /** Q f(Λ)⁻¹ Qᵀ g. @param f of an eigenvalue; the eigenvalue itself for H⁻¹ g */
  solve(g: ArrayLike<number>, f: (value: number) => number = (value) => value): Float64Array {
    const size = this.values.length;
    const Q = this.#vectors;
    const solution = new Float64Array(size);
    for (let k = 0; k < size; k++) {
      let along = 0;
      for (let i = 0; i < size; i++) along += Q[i * size + k] * g[i];
      along /= f(this.values[k]);
      for (let i = 0; i < size; i++) solution[i] += along * Q[i * size + k];
    }
    return solution;
  }
}

const FLOOR = 1e-8;

/** @param known curvature close to `start`, to begin with */
export function minimise(
  f: Smooth,
  start: Float64Array,
  { tolerance = 1e-9, maxSteps = 500, known }: { tolerance?: number; maxSteps?: number; known?: Curvature } = {},
): Minimum {
  let theta = start;
  let gradient = f.gradient(theta);
  let curvature = known;
  let fresh = false;
  let steps = 0;
  for (; steps < maxSteps && norm(gradient) > tolerance; steps++) {
    if (!curvature) {
      curvature = new Curvature(f.hessian(theta));
      fresh = true;
    }
    const step = curvature.solve(gradient, (value) => Math.max(Math.abs(value), FLOOR));
    const value = f.value(theta);
    let size = 1;
    let next = moved(theta, step, size);
    // Close to the minimum differences of the function drown in rounding: there the gradient decides.
    let after = f.gradient(next);
    while (f.value(next) > value && norm(after) > norm(gradient) / 2 && size > 1e-8) {
      size /= 2;
      next = moved(theta, step, size);
      after = f.gradient(next);
    }
    const fell = norm(after) / norm(gradient);
    if (size <= 1e-8 && fresh) break;
    if (fell > 0.1) curvature = undefined;
    if (fell > 1 && !fresh) continue; // an old curvature misled: the same place again with a new one
    fresh = false;
    theta = next;
    gradient = after;
  }
  return { theta, gradientNorm: norm(gradient), steps };
}

function moved(theta: Float64Array, step: Float64Array, size: number): Float64Array {
  return theta.map((v, i) => v - size * step[i]);
}

function norm(v: Float64Array): number {
  return Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
}
