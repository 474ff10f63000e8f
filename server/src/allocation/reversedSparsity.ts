/**
 * A control (LayerIF, table 3): LayerIF's map turned over. If it does as well as the map itself, the scores told
 * nothing.
 */
import { short } from './countText.ts';
import { smoothed } from './layerifSparsity.ts';
import { relativeSparsity } from './relativeSparsity.ts';
import type { SparsityRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const reversedSparsity: SparsityRule = {
  id: 'reversed',
  title: 'LayerIF turned over, a control',
  formula: 'as layerif, with t = 1 ± eps falling along the scores',
  source: 'LayerIF, arXiv 2505.23811, table 3',
  needs: 'scores',
  higherMeansMore: false,
  epsilon: 0.3,
  lambda: null,

  map(input) {
    const smooth = smoothed(input);
    const map = relativeSparsity(
      smooth.map((value) => -value),
      input,
      (i) =>
        `its score ${short(nth(input.values, i))} is ${short(nth(smooth, i))} after min-max and smoothing, turned over`,
    );
    return { ...map, terms: { smoothed: smooth, ...map.terms } };
  },
};
