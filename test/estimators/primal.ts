/** Dense references: the same quantities from the gradients themselves, d x d matrices and all. Only for small d. */
import { Matrix, solve } from 'ml-matrix';
import type { Grams } from '../../server/src/estimators/types.ts';

export interface Gradients {
  /** n rows of d numbers. */
  train: number[][];
  /** m rows of d numbers. */
  validation: number[][];
}

export function gramsOf({ train, validation }: Gradients): Grams {
  const n = train.length;
  const m = validation.length;
  return {
    n,
    m,
    parameters: train[0].length,
    K: Float64Array.from(train.flatMap((g) => train.map((h) => inner(g, h)))),
    C: Float64Array.from(train.flatMap((g) => validation.map((v) => inner(g, v)))),
    diagV: Float64Array.from(validation, (v) => inner(v, v)),
  };
}

/** h_j = 1/(nλ) Σ_i ( v_j − (v_j·g_i)/(λ + |g_i|²) g_i );  B[k][j] = h_j·g_k. */
export function datainfPrimal({ train, validation }: Gradients, lambda: number): Float64Array {
  const solved = validation.map((v) => {
    const h = new Array<number>(v.length).fill(0);
    for (const g of train) {
      const weight = inner(v, g) / (lambda + inner(g, g));
      for (let p = 0; p < v.length; p++) h[p] += (v[p] - weight * g[p]) / (train.length * lambda);
    }
    return h;
  });
  return Float64Array.from(train.flatMap((g) => solved.map((h) => inner(g, h))));
}

/** B = G (GᵀG/n + λI)⁻¹ Vᵀ with the d x d matrix formed and solved. */
export function fisherPrimal({ train, validation }: Gradients, lambda: number): Float64Array {
  const G = new Matrix(train);
  const V = new Matrix(validation);
  const F = G.transpose().mmul(G).div(train.length).add(Matrix.eye(G.columns).mul(lambda));
  return Float64Array.from(G.mmul(solve(F, V.transpose())).to1DArray());
}

export function inner(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** |a − b| / |b| in the 2-norm. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0;
  let size = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}

/** Standard normal numbers from a seed (mulberry32 and Box–Muller). */
export function randomGradients(n: number, m: number, d: number, seed: number, scale = 1): Gradients {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) * scale;
  const rows = (count: number) => Array.from({ length: count }, () => Array.from({ length: d }, normal));
  return { train: rows(n), validation: rows(m) };
}
