/**
 * OWL (arXiv 2310.05175): layers with many outliers are pruned less. D_l = 100 * share of entries of A = |W| * |x|
 * above M * mean(A), M = 5, A over all linear matrices of the layer; density_l = 1 - ratio + t_l - mean(t), t =
 * min-max(D) * 2 lambda. The paper takes the plain mean, so only equal layers add up to the ratio; here it is weighted
 * by parameters unless `paper` is set.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { shifted } from './bounds.ts';
import { percent, short } from './countText.ts';
import { minMax, sum } from './rounding.ts';
import type { SparsityRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const owl: SparsityRule = {
  id: 'owl',
  title: 'OWL: layers with more outliers are pruned less',
  formula: 'p = ratio + mean(t) - t, t = min-max(outlier ratio) * 2 lambda',
  source: 'OWL, arXiv 2310.05175',
  needs: 'owl',
  higherMeansMore: false,
  epsilon: null,
  lambda: 0.08,

  map({ values, weights, ratio, lambda, paper }) {
    if (!(lambda >= 0 && lambda <= 0.5)) {
      throw new LayerifError(
        'badRequest',
        `lambda ${lambda} is outside 0 to 0.5: sparsities span at most twice lambda`,
      );
    }
    const kept = minMax(values).map((u) => 2 * lambda * u);
    const mean = paper ? sum(kept) / kept.length : sum(kept.map((t, i) => t * nth(weights, i))) / sum([...weights]);
    const { sparsity, atBound } = shifted(
      kept.map((t) => ratio + mean - t),
      weights,
      ratio,
      !paper,
    );
    return {
      sparsity,
      atBound,
      because: (i) =>
        `its outlier ratio is ${short(nth(values, i))} %, which keeps ${percent(Math.abs(nth(kept, i) - mean))} ${nth(kept, i) >= mean ? 'more' : 'less'} than the average layer` +
        (atBound.includes(i) ? ', within the bounds' : ''),
      terms: { 't − mean(t)': kept.map((t) => t - mean) },
      notes: [],
    };
  },
};
