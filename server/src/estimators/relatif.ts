/**
 * RelatIF (Barshan, Brunet & Dziugaite, AISTATS 2020): the exact influence, divided by how much a training sample
 * changes the model anyway, so that outliers with large gradients do not come first everywhere. Two forms, chosen by
 * `score.relatif`:
 *
 *     l:      B_kj / √self_k,   self_k = g_kᵀ H⁻¹ g_k  = n [ (K + nλI)⁻¹ K ]_kk        (change of the sample's own loss)
 *     theta:  B_kj / |H⁻¹ g_k|, |H⁻¹ g_k|² = n² [ (K + nλI)⁻¹ K (K + nλI)⁻¹ ]_kk        (change of the weights)
 *
 * with H = F + λI and B = n (K + nλI)⁻¹ C of `fisher`. A sample without gradient changes nothing: its row is 0.
 */
import { choleskyInverse } from '../linear/cholesky.ts';
import { dampedSystem, solve } from './dampedSystem.ts';
import type { DampedSystem } from './dampedSystem.ts';
import { dampingValue } from './damping.ts';
import { checkGrams, isZero, multiply, weightedProducts } from './grams.ts';
import type { Estimator, RelatifForm } from './types.ts';

export const relatif: Estimator = {
  id: 'relatif',
  title: 'RelatIF',
  source: 'Barshan, Brunet & Dziugaite, AISTATS 2020, arXiv 2003.11630; score.relatif: l | theta',
  formula: 'B_kj / sqrt(g_k^T H^-1 g_k) (l) or B_kj / |H^-1 g_k| (theta), B = n (K + n lambda I)^-1 C',
  needs: ['K', 'C', 'parameters'],
  minimumTrain: 1,

  influence(grams, { damping, relatif: form = 'l', signal, where }) {
    checkGrams(grams, where);
    const { n, m, C } = grams;
    const lambda = dampingValue(grams, damping);
    if (isZero(grams) || lambda === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };
    const system = dampedSystem(grams, lambda, { where, signal });
    const own = changes(system, form, signal);
    const B = solve(system, C, m, where);
    for (let k = 0; k < n; k++) {
      const scale = own[k] > 0 ? n / own[k] : 0;
      for (let j = 0; j < m; j++) B[k * m + j] *= scale;
    }
    return { B, damping: lambda, zeroGradient: false };
  },

  curvature: 'resampled',
  resamplingCost: (n) => 2.2 * (0.8 * n) ** 3,
  resampled(grams, draws, { damping, relatif: form = 'l', signal, where }) {
    const right = weightedProducts(grams, draws);
    return draws.map((draw, d) => {
      const influence = new Float64Array(grams.n);
      const lambda = dampingValue(grams, damping, draw);
      if (lambda === 0) return influence;
      const system = dampedSystem(grams, lambda, { where, signal, draw });
      const { members, roots, size } = system;
      const own = changes(system, form, signal);
      const z = solve(
        system,
        Float64Array.from(members, (i, a) => roots[a] * right[i * draws.length + d]),
        1,
        where,
      );
      // Both the influence and the change of a sample that is drawn w times belong to √w g; the root cancels.
      members.forEach((i, a) => (influence[i] = own[a] > 0 ? (size * z[a]) / own[a] : 0));
      return influence;
    });
  },
};

/** √(gᵀ H⁻¹ g) or |H⁻¹ g| for every member's g, weighted as in the system. */
function changes(system: DampedSystem, form: RelatifForm, signal: AbortSignal | undefined): Float64Array {
  const { members, kernel, factor, size } = system;
  const count = members.length;
  const inverse = choleskyInverse(factor, count);
  const product = form === 'theta' ? multiply(kernel, inverse, count, count, signal) : kernel;
  return Float64Array.from({ length: count }, (_, k) => {
    let sum = 0; // row k of the inverse times column k of K, or of K (K + nλI)⁻¹
    for (let i = 0; i < count; i++) sum += inverse[k * count + i] * product[i * count + k];
    return form === 'theta' ? size * Math.sqrt(Math.max(0, sum)) : Math.sqrt(Math.max(0, size * sum));
  });
}
