/**
 * LayerIF (arXiv 2505.23811; HadiAskari/LayerIF_Pruning_New): u = min-max(|S|), w = Savitzky-Golay(u, window 7, order
 * 3), t = 1 - eps .. 1 + eps along min-max(w), p = min(0.99, eta t) with eta such that the whole loses the ratio,
 * weighted by parameters. A layer that reacts more to the data counts as less finished and is pruned more. The
 * reference code does not give what the cap cuts off to other layers (`paper`).
 */
import { short } from './countText.ts';
import { relativeSparsity } from './relativeSparsity.ts';
import { minMax } from './rounding.ts';
import { savitzkyGolay } from './savitzkyGolay.ts';
import type { SparsityInput, SparsityRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const layerifSparsity: SparsityRule = {
  id: 'layerif',
  title: 'LayerIF: layers with more influence are pruned more',
  formula: 'min(0.99, eta * t), t = 1 ± eps along the smoothed min-max(|S|)',
  source: 'LayerIF, arXiv 2505.23811',
  needs: 'scores',
  higherMeansMore: true,
  epsilon: 0.3,
  lambda: null,

  map(input) {
    const smooth = smoothed(input);
    const map = relativeSparsity(
      smooth,
      input,
      (i) =>
        `its score ${short(nth(input.values, i))} is ${short(nth(smooth, i))} after min-max and smoothing over depth`,
    );
    return { ...map, terms: { smoothed: smooth, ...map.terms } };
  },
};

/** w of the formula; each series is smoothed on its own. */
export function smoothed({ values, series }: Pick<SparsityInput, 'values' | 'series'>): number[] {
  const normalised = minMax(values.map(Math.abs));
  const smooth = [...normalised];
  for (const items of series) {
    savitzkyGolay(items.map((i) => nth(normalised, i))).forEach((value, k) => (smooth[nth(items, k)] = value));
  }
  return smooth;
}
