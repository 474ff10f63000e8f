/**
 * From the influence of n training samples to one score. Input is B summed over validation samples (positive = helps).
 *
 * One row per rule. `positive` is LayerIF's default: the helpful mass; `top25` its strong variant.
 */
import type { AggregationId } from '../../../protocol/experiment.ts';

interface Aggregation {
  title: string;
  formula: string;
  apply: (influence: Float64Array) => number;
}

export const aggregations: Record<AggregationId, Aggregation> = {
  positive: {
    title: 'sum of the helpful samples',
    formula: 'sum_i max(0, B_i)',
    apply: (influence) => sum(positives(influence)),
  },
  top25: {
    title: 'sum of the most helpful quarter',
    formula: 'sum of the largest ceil(p/4) of the p positive B_i; 0 when p = 0',
    apply: (influence) => {
      const sorted = positives(influence).sort().reverse();
      return sum(sorted.subarray(0, Math.ceil(sorted.length / 4)));
    },
  },
  sum: {
    title: 'sum of all samples',
    formula: 'sum_i B_i',
    apply: sum,
  },
};

function positives(values: Float64Array): Float64Array {
  return values.filter((value) => value > 0);
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
