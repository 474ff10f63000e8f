/**
 * DataInf (Kwon et al., ICLR 2024): swap averaging and inverting in the damped empirical Fisher. Each per-sample term
 * is then a rank-one matrix plus damping, which Sherman–Morrison inverts in closed form:
 *
 *     H⁻¹ ≈ 1/n Σᵢ (gᵢgᵢᵀ + λI)⁻¹ = 1/(nλ) Σᵢ ( I − gᵢgᵢᵀ / (λ + |gᵢ|²) )
 *     B   = 1/λ ( C − 1/n K D⁻¹ C ),    D = diag(λ + Kᵢᵢ)
 *
 * λ is tiny beside |g|² by default, so for nearly parallel gradients the two terms cancel: hence float64 here. n² m
 * multiplications per weight matrix.
 */
import { dampingValue } from './damping.ts';
import { checkGrams, isZero, multiply, sizeOf, weightedProducts } from './grams.ts';
import type { Estimator } from './types.ts';

export const datainf: Estimator = {
  id: 'datainf',
  title: 'DataInf',
  source: 'Kwon, Wu, Wu & Zou, ICLR 2024, arXiv 2310.00902',
  formula: 'B = (C - K D^-1 C / n) / lambda, D = diag(lambda + K_ii)',
  needs: ['K', 'C', 'parameters'],
  minimumTrain: 2,

  influence(grams, { damping, signal, where }) {
    checkGrams(grams, where);
    const { n, m, K, C } = grams;
    const lambda = dampingValue(grams, damping);
    if (isZero(grams) || lambda === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };

    const weighted = new Float64Array(n * m); // D⁻¹ C / n
    for (let i = 0; i < n; i++) {
      const weight = 1 / (n * (lambda + K[i * n + i]));
      for (let j = 0; j < m; j++) weighted[i * m + j] = C[i * m + j] * weight;
    }
    const B = multiply(K, weighted, n, m, signal);
    for (let i = 0; i < B.length; i++) B[i] = (C[i] - B[i]) / lambda;
    return { B, damping: lambda, zeroGradient: false };
  },

  sums: { weight: ({ product, square, lambda, n }) => product / (n * (lambda + square)) },

  /**
   * F, n and λ of the draw: B v = 1/λ ( C v − 1/Σw K W D⁻¹ C v ), W the weights. One product with K serves all draws.
   */
  curvature: 'resampled',
  resamplingCost: (n) => n * n,
  resampled(grams, draws, { damping, signal }) {
    const { n, K } = grams;
    const right = weightedProducts(grams, draws);
    const lambdas = draws.map((draw) => dampingValue(grams, damping, draw));
    const weighted = new Float64Array(right.length); // W D⁻¹ C v / Σw
    draws.forEach((draw, d) => {
      const size = sizeOf(draw);
      for (let i = 0; i < n; i++) {
        const weight = draw.train[i] / (size * (lambdas[d] + K[i * n + i]));
        weighted[i * draws.length + d] = weight > 0 ? right[i * draws.length + d] * weight : 0;
      }
    });
    const projected = multiply(K, weighted, n, draws.length, signal);
    return lambdas.map((lambda, d) =>
      Float64Array.from({ length: n }, (_, i) => {
        const at = i * draws.length + d;
        return lambda === 0 ? 0 : (right[at] - projected[at]) / lambda;
      }),
    );
  },
};
