/** How an allocation reads its scores, in a sentence: does a layer with more of it get more, or less? Pure. */
import type { Allocation, AllocationKind } from './allocation.ts';

/** What a higher score means to a layer, where it means more, and where it means less. */
const effects: Readonly<Record<AllocationKind, readonly [more: string, less: string]>> = {
  experts: ['gets more experts', 'gets fewer experts'],
  rank: ['gets a higher rank', 'gets a lower rank'],
  sparsity: ['is pruned more', 'is pruned less'],
  freeze: ['is frozen sooner', 'is frozen later'],
  tune: ['is tuned sooner', 'is tuned later'],
  drop: ['is dropped sooner', 'is dropped later'],
};

/** Null where the rule reads no scores. */
export function directionSentence({ kind, quantity }: Pick<Allocation, 'kind' | 'quantity'>): string | null {
  if (!quantity) return null;
  const effect = effects[kind][quantity.higherMeansMore ? 0 : 1];
  const why =
    kind === 'sparsity' && quantity.name === 'score'
      ? quantity.higherMeansMore
        ? ': the paper reads much influence as a layer that is not finished for the task and loses less when weights go; the map `reversed` does the opposite'
        : ', against the paper: a control'
      : '';
  return `Direction: a layer with a higher ${quantity.name} ${effect}${why}.`;
}
