/**
 * AlphaPruning (arXiv 2410.10912): a heavy tail of the weight spectrum (small alpha) marks a well trained layer, which
 * is pruned less. LayerIF's map without smoothing, along the mean tail exponent of the layer's matrices (the score
 * `alpha_hill`). The exponent depends on a matrix's aspect ratio too, so matrices of different shapes are compared with
 * care.
 */
import { short } from './countText.ts';
import { relativeSparsity } from './relativeSparsity.ts';
import type { SparsityRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const alphaPruning: SparsityRule = {
  id: 'alphapruning',
  title: 'AlphaPruning, from the spectrum of the weights',
  formula: 'min(0.99, eta * t), t = 1 ± eps along min-max(alpha)',
  source: 'AlphaPruning, arXiv 2410.10912',
  needs: 'alpha_hill',
  higherMeansMore: true,
  epsilon: 0.3,
  lambda: null,

  map: (input) => relativeSparsity(input.values, input, (i) => `its tail exponent is ${short(nth(input.values, i))}`),
};
