/**
 * EK-FAC (George et al. 2018; for influence functions of language models Grosse et al. 2023): the Fisher of a weight
 * matrix in the eigenbasis of its inputs' and output gradients' covariances, with corrected eigenvalues Λ.
 *
 *     H⁻¹ V = Q_S ( (Q_Sᵀ V Q_A) / (Λ + λ) ) Q_Aᵀ          B = v_jᵀ H⁻¹ g_i
 *
 * Not a function of K and C: the engine forms it while the gradients exist (`engine/grams/ekfac.ts`), for the factor
 * asked for and for those of a damping sweep, and this file picks. Under the relative rules λ = factor times the mean
 * of Λ; `mean_square` and `mean_eigenvalue` are the same here, for all of Λ may differ from zero. Factor 0.1 is Grosse
 * et al.'s, and kronfluence's `damping_factor=None`. Under the rule `absolute` λ = factor; gradients are those of a
 * sample's mean loss, so kronfluence's λ for a loss summed over T tokens is T² times ours.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { checkGrams } from './grams.ts';
import type { Damping, Estimator } from './types.ts';

/** Factors that are computed beside the one asked for, for the damping sweep. */
const sweepFactors = [0.001, 0.01, 0.1, 1, 10, 100, 1000];

/** What the engine has to compute: the factor asked for first. */
export function ekfacDamping({ rule, factor }: Damping): { relative: boolean; factors: number[] } {
  const others = sweepFactors.filter((other) => Math.abs(other / factor - 1) > 1e-9);
  return { relative: rule !== 'absolute', factors: [factor, ...others] };
}

export const ekfac: Estimator = {
  id: 'ekfac',
  title: 'EK-FAC',
  source: 'Grosse et al. 2023, arXiv 2308.03296; George et al., NeurIPS 2018, arXiv 1806.03884',
  formula: 'B = sum (Q_S^T G Q_A) (Q_S^T V Q_A) / (Lambda + lambda), Q of E[y y^T] and E[x x^T]',
  needs: ['ekfac'],
  minimumTrain: 2,
  curvature: 'fixed',

  influence(grams, { damping, where = 'this weight matrix' }) {
    checkGrams(grams, where);
    const { n, m, ekfac: computed } = grams;
    if (!computed) {
      throw new LayerifError(
        'badRequest',
        `${where} was scored without EK-FAC, which needs the gradients themselves: score again with estimator ekfac`,
      );
    }
    const { meanEigenvalue, dampings, B } = computed;
    const lambda = damping.rule === 'absolute' ? damping.factor : damping.factor * meanEigenvalue;
    if (meanEigenvalue === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };
    const found = dampings.findIndex((value) => Math.abs(value / lambda - 1) < 1e-6);
    if (found < 0) {
      const known = [...dampings].map((value) => Number((value / (lambda / damping.factor)).toPrecision(4)));
      throw new LayerifError(
        'badRequest',
        `EK-FAC of ${where} was not computed for damping factor ${damping.factor} (rule ${damping.rule}) but for ${known.join(', ')}: choose one of these or score again`,
      );
    }
    const chosen = B.slice(found * n * m, (found + 1) * n * m);
    const bad = chosen.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new LayerifError(
        'failed',
        `EK-FAC of ${where} is ${chosen[bad]} for training sample ${Math.floor(bad / m)} and validation sample ${bad % m} (from 0): raise the damping factor`,
      );
    }
    return { B: chosen, damping: lambda, zeroGradient: false };
  },
};
