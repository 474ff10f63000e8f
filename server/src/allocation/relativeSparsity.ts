/**
 * The step that LayerIF and AlphaPruning share: from values to 1 - epsilon .. 1 + epsilon, and from there to
 * sparsities.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { percent, short } from './countText.ts';
import { scaled } from './bounds.ts';
import { minMax } from './rounding.ts';
import type { SparsityInput, SparsityMap } from './types.ts';
import { nth } from '../lists/nth.ts';

/**
 * @param values larger = pruned more
 * @param describe what the sentence says of an item's value
 * @throws LayerifError `badRequest` for an epsilon outside 0..1
 */
export function relativeSparsity(
  values: readonly number[],
  { weights, ratio, epsilon, paper }: SparsityInput,
  describe: (item: number) => string,
): SparsityMap {
  if (!(epsilon >= 0 && epsilon <= 1)) {
    throw new LayerifError(
      'badRequest',
      `epsilon ${epsilon} is outside 0 to 1: layers are pruned between 1 - epsilon and 1 + epsilon times the ratio, which cannot be negative`,
    );
  }
  const equal = Math.min(...values) === Math.max(...values);
  // All equal: nobody is lower than the others, so everybody gets the ratio.
  const relative = equal ? values.map(() => 1) : minMax(values).map((u) => 1 - epsilon + 2 * epsilon * u);
  const { sparsity, atBound } = scaled(relative, weights, ratio, !paper);
  return {
    sparsity,
    atBound,
    because: (i) =>
      equal
        ? 'every layer has the same value, so all are pruned alike'
        : `${describe(i)}, which maps to ${short(nth(relative, i))} on the range ${short(1 - epsilon)} to ${short(1 + epsilon)}, scaled so that the whole loses ${percent(ratio)}` +
          (atBound.includes(i) ? ', and stops at the cap' : ''),
    terms: { t: relative },
    notes: equal ? ['every value is the same: the map is uniform'] : [],
  };
}
