/**
 * t-SNE (van der Maaten & Hinton 2008), exact: rows become points in the plane whose neighbours are those of the rows.
 *
 *     p_j|i ∝ exp(-β_i ‖x_i - x_j‖²), β_i such that the entropy is ln(perplexity);  P = (p_j|i + p_i|j) / 2n
 *     q_ij ∝ 1 / (1 + ‖y_i - y_j‖²);  KL = Σ p_ij ln(p_ij / q_ij) is made small
 *
 * Hand-written: the packages on the registry are not kept up and cannot be seeded. n² numbers per step, so a few
 * thousand rows at most.
 */
import { symmetricEigen } from '../linear/eigenvectors.ts';
import type { Random } from '../random/random.ts';
import type { Rows } from './classifier.ts';

const STEPS = 1000;
const EXAGGERATED_STEPS = 250;
const EXAGGERATION = 12;
const LEAST = 1e-12;

export interface Embedding {
  /** count x 2 */
  points: Float64Array;
  /** Kullback-Leibler divergence, in nats, after every 50 steps from the end of the exaggeration on. */
  divergences: number[];
}

/** @param perplexity below the number of rows */
export function tsne(rows: Rows, perplexity: number, random: Random, steps = STEPS): Embedding {
  const P = jointProbabilities(rows, perplexity);
  const n = rows.count;
  const points = startOf(rows, random);
  const gradient = new Float64Array(2 * n);
  const velocity = new Float64Array(2 * n);
  const gains = new Float64Array(2 * n).fill(1);
  // scikit-learn's learning rate: max(n / exaggeration / 4, 50).
  const rate = Math.max(n / EXAGGERATION / 4, 50);
  const divergences: number[] = [];
  for (let step = 0; step < steps; step++) {
    const exaggerated = step < EXAGGERATED_STEPS;
    const momentum = exaggerated ? 0.5 : 0.8;
    const divergence = divergenceOf(P, points, gradient, exaggerated ? EXAGGERATION : 1);
    for (let i = 0; i < 2 * n; i++) {
      gains[i] = Math.max(0.01, velocity[i] * gradient[i] < 0 ? gains[i] + 0.2 : gains[i] * 0.8);
      velocity[i] = momentum * velocity[i] - rate * gains[i] * gradient[i];
      points[i] += velocity[i];
    }
    if (!exaggerated && (step + 1) % 50 === 0) divergences.push(divergence);
  }
  return { points, divergences };
}

/** The first two principal components, the first with a standard deviation of 1e-4; a little noise parts equal rows. */
function startOf({ data, count, width }: Rows, random: Random): Float64Array {
  const means = new Float64Array(width);
  for (let i = 0; i < count; i++) for (let k = 0; k < width; k++) means[k] += data[i * width + k] / count;
  const covariance = new Float64Array(width * width);
  for (let i = 0; i < count; i++)
    for (let a = 0; a < width; a++)
      for (let b = 0; b <= a; b++)
        covariance[a * width + b] += (data[i * width + a] - means[a]) * (data[i * width + b] - means[b]);
  const { values, vectors } = symmetricEigen(covariance, width);
  const spread = Math.sqrt(Math.max(values[width - 1], 0) / count) || 1;
  const points = new Float64Array(2 * count);
  for (let axis = 0; axis < Math.min(2, width); axis++) {
    const column = width - 1 - axis;
    for (let i = 0; i < count; i++)
      for (let k = 0; k < width; k++)
        points[2 * i + axis] += ((data[i * width + k] - means[k]) * vectors[k * width + column] * 1e-4) / spread;
  }
  for (let i = 0; i < 2 * count; i++) points[i] += 1e-8 * random.normal();
  return points;
}

/** P, n x n, Σ = 1, zero diagonal. */
export function jointProbabilities({ data, count: n, width }: Rows, perplexity: number): Float64Array {
  const P = new Float64Array(n * n);
  const distances = new Float64Array(n);
  const target = Math.log(perplexity);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      distances[j] = 0;
      for (let k = 0; k < width; k++) distances[j] += (data[i * width + k] - data[j * width + k]) ** 2;
    }
    let nearest = Infinity;
    for (let j = 0; j < n; j++) if (j !== i) nearest = Math.min(nearest, distances[j]);
    let [beta, low, high] = [1, 0, Infinity];
    for (let step = 0; step < 200; step++) {
      let [sum, weighted] = [0, 0];
      for (let j = 0; j < n; j++) {
        // The nearest row has the weight 1, so that the sum is never 0.
        const value = j === i ? 0 : Math.exp(-beta * (distances[j] - nearest));
        P[i * n + j] = value;
        sum += value;
        weighted += value * (distances[j] - nearest);
      }
      for (let j = 0; j < n; j++) P[i * n + j] /= sum;
      const entropy = Math.log(sum) + (beta * weighted) / sum;
      if (Math.abs(entropy - target) < 1e-10) break;
      if (entropy > target) [low, beta] = [beta, high === Infinity ? 2 * beta : (beta + high) / 2];
      else [high, beta] = [beta, (low + beta) / 2];
    }
  }
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) P[i * n + j] = P[j * n + i] = Math.max((P[i * n + j] + P[j * n + i]) / (2 * n), LEAST);
  return P;
}

/** Writes the gradient of KL(exaggeration · P ‖ Q) by the points. @returns KL(P ‖ Q) */
export function divergenceOf(P: Float64Array, points: Float64Array, gradient: Float64Array, exaggeration = 1): number {
  const n = points.length / 2;
  let total = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      total += 2 / (1 + (points[2 * i] - points[2 * j]) ** 2 + (points[2 * i + 1] - points[2 * j + 1]) ** 2);
  gradient.fill(0);
  let divergence = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [points[2 * i] - points[2 * j], points[2 * i + 1] - points[2 * j + 1]];
      const near = 1 / (1 + dx * dx + dy * dy);
      const q = Math.max(near / total, LEAST);
      const p = P[i * n + j];
      divergence += 2 * p * Math.log(p / q);
      const pull = 4 * (exaggeration * p - q) * near;
      gradient[2 * i] += pull * dx;
      gradient[2 * i + 1] += pull * dy;
      gradient[2 * j] -= pull * dx;
      gradient[2 * j + 1] -= pull * dy;
    }
  return divergence;
}
