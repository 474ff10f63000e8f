/**
 * AlphaLoRA (arXiv 2410.10054): the heavier the tail of a layer's weight spectrum, the better it is trained and the
 * fewer experts it gets: n_l = round(alpha_l^beta / sum * T), then the repair loop of its code. alpha_l is the mean
 * tail exponent of the layer's matrices (the score `alpha_hill`). The code may end with layers without experts, which
 * its users raise to one; here the minimum does that.
 */
import { alphaLoraText, requireNotNegative } from './countText.ts';
import { alphaLoraRounding } from './rounding.ts';
import { BEFORE_ROUNDING } from './types.ts';
import type { CountRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const alphaLoraCounts: CountRule = {
  id: 'alphalora',
  title: 'AlphaLoRA, from the spectrum of the weights',
  formula: 'round(alpha^beta / sum alpha^beta * T), then its repair loop',
  source: 'AlphaLoRA, arXiv 2410.10054',
  needs: 'alpha_hill',
  beta: 2.5,
  monotone: false,

  allocate({ values, total, minimum, beta, noun }) {
    requireNotNegative(values, 'alphalora');
    const rounded = alphaLoraRounding(
      values.map((alpha) => alpha ** beta),
      total,
      minimum,
    );
    return {
      counts: rounded.counts,
      because: (l) => alphaLoraText(nth(values, l), rounded, l, total, beta, noun, 'its tail exponent'),
      terms: { [BEFORE_ROUNDING]: rounded.shares },
      notes: [],
    };
  },
};
