/**
 * LoRA ranks under a budget of trainable weights. A rank of one costs rows + columns per adapted matrix, so layers with
 * other modules cost differently; the rule shares out the largest sum of ranks whose cost fits. That keeps the order of
 * the scores, which filling up the rest with cheap layers would not.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { sum } from './rounding.ts';
import { nth } from '../lists/nth.ts';

export interface Budgeted {
  ranks: number[];
  /** Trainable weights. */
  spent: number;
}

/**
 * @param costs trainable weights of rank one, per layer
 * @param ranksOf ranks for a sum of `units` steps
 * @param step multiple of every rank
 * @throws LayerifError `badRequest` when not even the minimum fits
 */
export function ranksWithin(
  budget: number,
  costs: readonly number[],
  minimumUnits: number,
  step: number,
  ranksOf: (units: number) => number[],
): Budgeted {
  const cost = (ranks: readonly number[]) => sum(ranks.map((rank, i) => rank * nth(costs, i)));
  const least = minimumUnits * costs.length;
  const smallest = step * minimumUnits * sum(costs);
  if (smallest > budget) {
    throw new LayerifError(
      'badRequest',
      `a budget of ${budget} trainable weights is too small: rank ${step * minimumUnits} in each of ${costs.length} layers takes ${smallest}; use at least that, or a smaller minimum`,
    );
  }
  // A sum of one unit more costs at least the cheapest layer's unit in the long run, so nothing fits beyond this.
  const most = least + Math.floor((budget - smallest) / (step * Math.min(...costs)));
  for (let units = most; units > least; units--) {
    const ranks = ranksOf(units);
    if (cost(ranks) <= budget) return { ranks, spent: cost(ranks) };
  }
  const ranks = ranksOf(least);
  return { ranks, spent: cost(ranks) };
}
