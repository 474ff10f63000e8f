/**
 * LayerIF's rule as the paper states it (arXiv 2505.23811, section on expert allocation), S the raw layer scores:
 *
 *   f_l = S_l^beta / sum_k S_k^beta * (T - minimum * L),   s_l = floor(f_l) + minimum,   +1 for the largest fractions until sum = T
 *
 * The released lists follow another rule: `releasedCounts.ts`.
 */
import { shareText, requireNotNegative } from './countText.ts';
import { largestRemainders } from './rounding.ts';
import { BEFORE_ROUNDING } from './types.ts';
import type { CountRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const layerifCounts: CountRule = {
  id: 'layerif',
  title: 'LayerIF, as in the paper',
  formula: 'floor(S^beta / sum S^beta * (T - L)) + 1, then the largest remainders',
  source: 'LayerIF, arXiv 2505.23811',
  needs: 'scores',
  beta: 3,
  monotone: true,

  allocate({ values, total, minimum, beta, noun }) {
    requireNotNegative(values, 'layerif');
    // Divided by the largest first: 1e12 ** 40 is no number any more.
    const largest = Math.max(...values);
    const powers = values.map((value) => (largest > 0 ? (value / largest) ** beta : 0));
    const { counts, shares, repaired } = largestRemainders(powers, total, minimum, values);
    const left = repaired.filter((one) => one > 0).length;
    return {
      counts,
      because: (l) =>
        `${shareText(nth(values, l), nth(shares, l), total - minimum * values.length, beta, noun)}, which is ${Math.floor(nth(shares, l))} in full` +
        (minimum > 0 ? `, plus the ${minimum} that every layer gets` : '') +
        (nth(repaired, l) > 0 ? `, plus 1 of the ${left} left over, for its large fraction` : ''),
      terms: { [BEFORE_ROUNDING]: shares.map((share) => share + minimum) },
      notes: largest > 0 ? [] : ['every score is 0: all layers count as equal'],
    };
  },
};
