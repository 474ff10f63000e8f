/**
 * LiSSA (Agarwal, Bullins & Hazan, JMLR 2017; for influence Koh & Liang 2017) on the damped empirical Fisher: the
 * Neumann series of the inverse, with F of all samples in place of a random batch, so that nothing has to be averaged
 * over repeats.
 *
 *     R₀ = C,   R ← C + (1 − aλ) R − (a/n) K R,   B = a R   →   (F + λI)⁻¹ applied to C
 *
 * It converges for a < 2 / (eig_max(K)/n + λ); a is half of that, with eig_max by power iteration. T steps are the sum
 * of the first T + 1 powers of M = I − a(λI + K/n); sums of 2ᵖ powers are doubled with R_2T = R_T + Mᵀ R_T, so that the
 * many thousand steps that small damping asks for cost one n x n product per doubling. How far it came is reported; it
 * never stops silently.
 */
import { dampingValue } from './damping.ts';
import { fisherResampled } from './fisher.ts';
import { checkGrams, isZero, multiply } from './grams.ts';
import type { Estimator } from './types.ts';

/** Relative residual that counts as converged. */
const tolerance = 1e-6;
/** 2^24 steps at most: more than a condition number of a million needs. */
const doublings = 24;

export const lissa: Estimator = {
  id: 'lissa',
  title: 'LiSSA on the Fisher',
  source: 'Agarwal, Bullins & Hazan, JMLR 2017, arXiv 1602.03943; Koh & Liang, ICML 2017',
  formula: 'R <- C + (1 - a lambda) R - (a/n) K R, B = a R',
  needs: ['K', 'C', 'parameters'],
  minimumTrain: 1,

  influence(grams, { damping, signal, where }) {
    checkGrams(grams, where);
    const { n, m, K, C } = grams;
    const lambda = dampingValue(grams, damping);
    if (isZero(grams) || lambda === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };

    const step = 1 / ((1.05 * largestEigenvalue(K, n)) / n + lambda); // the power iteration comes from below
    let M: Float64Array = K.map((k) => -(step * k) / n);
    for (let i = 0; i < n; i++) M[i * n + i] += 1 - step * lambda;
    let R = C.slice();
    let terms = 1;
    let residual = residualOf(grams, R, step, lambda);
    for (let doubling = 0; doubling < doublings && residual > tolerance; doubling++) {
      if (doubling > 0) M = multiply(M, M, n, n, signal);
      const more = multiply(M, R, n, m, signal);
      for (let i = 0; i < R.length; i++) R[i] += more[i];
      terms *= 2;
      residual = residualOf(grams, R, step, lambda);
    }
    const convergence = { iterations: terms - 1, residual, converged: residual <= tolerance };
    R = R.map((r) => step * r);
    return { B: R, damping: lambda, zeroGradient: false, convergence };
  },

  // Its limit is the exact form, which is cheaper where many draws are needed.
  curvature: 'resampled',
  resamplingCost: (n) => (0.8 * n) ** 3 / 6 + 3 * (0.8 * n) ** 2,
  resampled: fisherResampled,
};

/** |C − (λI + K/n) B| / |C| for B = a R; 0 where C is zero. */
function residualOf(
  { n, m, K, C }: { n: number; m: number; K: Float64Array; C: Float64Array },
  R: Float64Array,
  step: number,
  lambda: number,
): number {
  const product = multiply(K, R, n, m);
  let [difference, total] = [0, 0];
  for (let i = 0; i < C.length; i++) {
    difference += (C[i] - step * (lambda * R[i] + product[i] / n)) ** 2;
    total += C[i] ** 2;
  }
  return total === 0 ? 0 : Math.sqrt(difference / total);
}

/**
 * Of a symmetric matrix without negative eigenvalues, by power iteration, to 1e-3 relative from below.
 *
 * @param K n x n
 */
export function largestEigenvalue(K: Float64Array, n: number): number {
  // The start is the same in every run and not orthogonal to anything by construction.
  let v: Float64Array = Float64Array.from({ length: n }, (_, i) => K[i * n + i] + ((i * 0.618) % 1) * K[0]);
  if (v.every((x) => x === 0)) v = v.fill(1);
  let value = 0;
  for (let iteration = 0; iteration < 1000; iteration++) {
    const next = multiply(K, v, n, 1);
    const size = Math.hypot(...next);
    const before = value;
    value = size / Math.hypot(...v);
    if (size === 0 || Math.abs(value - before) <= 1e-5 * value) break;
    v = next.map((x) => x / size);
  }
  return value;
}
