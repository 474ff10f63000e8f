/**
 * OWL's layer outlier distribution: A_ij = |W_ij| ‖x_j‖ over all tokens of the texts, for all linear modules of a layer
 * together; the share of entries above M times their mean. Layers with many outliers are pruned less.
 */
import { defineScore } from './types.ts';
import { entry } from '../lists/entry.ts';

export const owl = defineScore({
  id: 'owl',
  version: 1,
  title: 'OWL outlier ratio',
  question: 'prune_weights',
  subject: 'layer',
  unit: '%',
  higherMeans: 'keep',
  formula: '100 * share of |W_ij| ‖x_j‖ above M times its mean over the layer',
  source: 'OWL, arXiv 2310.05175',
  status: 'published',
  options: {
    multiple: { type: 'number', default: 5, above: 0, words: 'How many times the mean an outlier is; M of the paper.' },
  },
  needs: ({ multiple }) => ({ outliers: { of: 'outliers', options: { multiple } } }),
  score: ({ outliers }) => ({ values: [...entry(outliers, 'percent').data], notes: [] }),
});
