/**
 * Exact damped empirical Fisher, F = GᵀG / n, by the Woodbury identity:
 *
 *     B = G (F + λI)⁻¹ Vᵀ = 1/λ ( C − K (K + nλI)⁻¹ C ) = n (K + nλI)⁻¹ C
 *
 * The second form has no cancellation and needs one Cholesky factor of an n x n matrix. K itself is singular whenever
 * two training samples are alike; the damping repairs that unless it drowns in K's rounding, which the residual shows.
 */
import { dampedSystem, solve } from './dampedSystem.ts';
import { dampingValue } from './damping.ts';
import { checkGrams, isZero, weightedProducts } from './grams.ts';
import type { Draw, Estimator, EstimatorOptions, Grams } from './types.ts';

export const fisher: Estimator = {
  id: 'fisher',
  title: 'Exact damped Fisher',
  source: 'Koh & Liang, ICML 2017, arXiv 1703.04730, with the empirical Fisher as Hessian; Woodbury identity',
  formula: 'B = n (K + n lambda I)^-1 C',
  needs: ['K', 'C', 'parameters'],
  minimumTrain: 1,

  influence(grams, { damping, signal, where }) {
    checkGrams(grams, where);
    const { n, m, C } = grams;
    const lambda = dampingValue(grams, damping);
    if (isZero(grams) || lambda === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };
    const system = dampedSystem(grams, lambda, { where, signal });
    return { B: solve(system, C, m, where).map((x) => n * x), damping: lambda, zeroGradient: false };
  },

  curvature: 'resampled',
  // A draw leaves four fifths of the samples.
  resamplingCost: (n) => (0.8 * n) ** 3 / 6 + 3 * (0.8 * n) ** 2,
  resampled: fisherResampled,
};

/** n z_k / √w_k with (W½ K W½ + nλI) z = W½ C v: the row of a sample is counted once, however often it is drawn. */
export function fisherResampled(
  grams: Grams,
  draws: readonly Draw[],
  { damping, signal, where }: EstimatorOptions,
): Float64Array[] {
  const right = weightedProducts(grams, draws);
  return draws.map((draw, d) => {
    const influence = new Float64Array(grams.n);
    const lambda = dampingValue(grams, damping, draw);
    if (lambda === 0) return influence;
    const system = dampedSystem(grams, lambda, { where, signal, draw });
    const { members, roots, size } = system;
    const z = solve(
      system,
      Float64Array.from(members, (i, a) => roots[a] * right[i * draws.length + d]),
      1,
      where,
    );
    members.forEach((i, a) => (influence[i] = (size * z[a]) / roots[a]));
    return influence;
  });
}
