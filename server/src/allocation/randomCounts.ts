/**
 * A control: the minimum each, and every further one for a layer drawn at random, all layers alike. The same seed gives
 * the same list.
 */
import { Random } from '../random/random.ts';
import { largestRemainders } from './rounding.ts';
import type { CountRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const randomCounts: CountRule = {
  id: 'random',
  title: 'at random, seeded',
  formula: 'T - L draws of a layer, all alike, plus one each',
  source: 'control',
  needs: null,
  beta: null,
  monotone: false,

  allocate({ values, total, minimum, seed, noun }) {
    const layers = values.length;
    // Checks the total, and starts from the minimum.
    largestRemainders(
      values.map(() => 1),
      total,
      minimum,
    );
    const random = new Random(seed, 'random allocation');
    const counts = values.map(() => minimum);
    for (let left = total - minimum * layers; left > 0; left--) {
      const layer = random.integer(layers);
      counts[layer] = nth(counts, layer) + 1;
    }
    return {
      counts,
      because: (l) =>
        `seed ${seed} drew it ${nth(counts, l) - minimum} times in ${total - minimum * layers} draws of ${noun[1]} beyond the minimum ${minimum}, whatever its score`,
      notes: [],
    };
  },
};
