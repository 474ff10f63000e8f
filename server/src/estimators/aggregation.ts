/**
 * From the influence of training samples, or of pairs of a training and a validation sample, to one score. Positive =
 * helps.
 *
 * One row per rule. `positive` is LayerIF's default: the helpful mass; `top25` its strong variant.
 */
import type { AggregationId } from '../../../protocol/experiment.ts';

interface Aggregation {
  title: string;
  formula: string;
  /** @param weights how often each value counts, whole numbers from 0; default once each */
  apply: (influence: Float64Array, weights?: Float64Array) => number;
}

export const aggregations: Record<AggregationId, Aggregation> = {
  positive: {
    title: 'sum of the helpful samples',
    formula: 'sum_i max(0, B_i)',
    apply: (influence, weights) => {
      let total = 0;
      for (let i = 0; i < influence.length; i++) {
        if (influence[i] > 0) total += weights ? weights[i] * influence[i] : influence[i];
      }
      return total;
    },
  },
  top25: {
    title: 'sum of the most helpful quarter',
    formula: 'sum of the largest ceil(p/4) of the p positive B_i; 0 when p = 0',
    apply: (influence, weights) => (weights ? weightedTop(influence, weights) : topQuarter(influence)),
  },
  sum: {
    title: 'sum of all samples',
    formula: 'sum_i B_i',
    apply: (influence, weights) => {
      let total = 0;
      for (let i = 0; i < influence.length; i++) total += weights ? weights[i] * influence[i] : influence[i];
      return total;
    },
  },
};

function topQuarter(influence: Float64Array): number {
  const sorted = influence.filter((value) => value > 0).sort();
  let total = 0;
  for (let taken = 0; taken < Math.ceil(sorted.length / 4); taken++) total += sorted[sorted.length - 1 - taken];
  return total;
}

function weightedTop(influence: Float64Array, weights: Float64Array): number {
  const helpful = Array.from(influence, (_, i) => i).filter((i) => influence[i] > 0 && weights[i] > 0);
  helpful.sort((i, j) => influence[j] - influence[i]);
  let left = Math.ceil(helpful.reduce((sum, i) => sum + weights[i], 0) / 4);
  let total = 0;
  for (const i of helpful) {
    const taken = Math.min(left, weights[i]);
    total += taken * influence[i];
    left -= taken;
    if (left <= 0) break;
  }
  return total;
}
