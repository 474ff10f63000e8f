/**
 * Gradient dot product: no curvature at all (H = I), one checkpoint of TracIn without its learning rate.
 *
 *     B = C
 *
 * The baseline every other estimator has to beat.
 */
import { checkGrams, isZero } from './grams.ts';
import type { Estimator } from './types.ts';

export const dot: Estimator = {
  id: 'dot',
  title: 'Gradient dot product',
  source: 'Pruthi et al., NeurIPS 2020, arXiv 2002.08484 (one checkpoint); Charpiat et al., NeurIPS 2019',
  formula: 'B = C',
  needs: ['C'],
  minimumTrain: 1,
  curvature: 'none',
  sums: { weight: null },

  influence(grams, { where }) {
    checkGrams(grams, where);
    return { B: grams.C.slice(), damping: null, zeroGradient: isZero(grams) };
  },
};
