/**
 * The rule that fits LayerIF's released expert lists (HadiAskari/Expert_Allocation), which the paper's own formula does
 * not: min-max-normalised scores, exponent 2.5, AlphaLoRA's rounding, zeros raised to one. In every released list the
 * layer with the lowest score has one expert; the paper's formula would give it two.
 */
import { alphaLoraText } from './countText.ts';
import { alphaLoraRounding, minMax } from './rounding.ts';
import { BEFORE_ROUNDING } from './types.ts';
import type { CountRule } from './types.ts';
import { nth } from '../lists/nth.ts';

export const releasedCounts: CountRule = {
  id: 'released',
  title: 'LayerIF, as its released lists',
  formula: 'round(u^beta / sum u^beta * T) with u = min-max(S), zeros raised to one, AlphaLoRA repair loop',
  source: 'HadiAskari/Expert_Allocation',
  needs: 'scores',
  beta: 2.5,
  monotone: false,

  allocate({ values, total, minimum, beta, noun }) {
    const normalised = minMax(values);
    const equal = normalised.every((value) => value === 0);
    const rounded = alphaLoraRounding(
      normalised.map((u) => u ** beta),
      total,
      minimum,
    );
    return {
      counts: rounded.counts,
      because: (l) => alphaLoraText(nth(normalised, l), rounded, l, total, beta, noun, 'its min-max-normalised score'),
      terms: { normalised, [BEFORE_ROUNDING]: rounded.shares },
      notes: equal && values.length > 1 ? ['every score is the same: all layers count as equal'] : [],
    };
  },
};
