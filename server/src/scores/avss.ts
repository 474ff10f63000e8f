/**
 * Activation Variance-Sparsity Score: AVSS = AV / AS of a layer's outputs. AV is the variance over the features of a
 * text's mean over its tokens, averaged over the texts; AS the share of entries smaller than epsilon. NAVSS is the
 * share of a layer in the sum over the layers, CAVSS the cumulative share in layer order.
 *
 * The published epsilon of 1e-5 leaves some layers of small models without a single smaller entry, which makes AVSS
 * undefined; relative to the root mean square of a layer's outputs it is always defined in practice. Outputs of
 * pre-norm models grow with depth, and AVSS with them, so that the lowest quarter, which the paper removes, often holds
 * the first layers, without which a model falls apart.
 */
import { ratioOfSums } from './drawnTexts.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import type { OptionRows } from './types.ts';
import { entry } from '../lists/entry.ts';

/** When an activation counts as zero; also of EAVSS. */
export const sparsityOptions = {
  epsilon: { type: 'number', default: 0.01, above: 0, words: 'What counts as zero; the paper takes 1e-5, absolute.' },
  threshold: {
    type: 'choice',
    default: 'relative',
    choices: ['relative', 'absolute'],
    words: 'Whether epsilon is a share of the root mean square of the outputs of a layer, or a number.',
  },
} as const satisfies OptionRows;

export const avss = defineScore({
  id: 'avss',
  version: 1,
  title: 'AVSS, activation variance over sparsity',
  question: 'remove_block',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'variance of the mean activations / share of activations below epsilon',
  source: 'AVSS, arXiv 2411.02117',
  status: 'published',
  options: {
    ...sparsityOptions,
    skip_first_token: {
      type: 'flag',
      default: false,
      words: 'Leave out the first token of each text, on which some models have massive activations.',
    },
  },
  needs: (options) => ({ moments: { of: 'hidden_moments', options: { ...options } } }),
  drawn: ({ moments }) => {
    const sparsity = ratioOfSums(entry(moments, 'below'), entry(moments, 'entries'));
    const shape = entry(moments, 'entries').shape;
    const there = entry(moments, 'entries').data.map((count) => Number(count > 0));
    const variance = ratioOfSums(entry(moments, 'variance'), { shape, data: there });
    return (texts) => {
      const [AV, AS] = [variance(texts), sparsity(texts)];
      return AV.map((value, layer) => (value !== null && AS[layer] ? value / AS[layer] : null));
    };
  },

  score({ moments }, _options, { model }) {
    const layers = Array.from({ length: model.layers }, (_, layer) => layer);
    const of = (name: string, layer: number) => row(entry(moments, name), layer);
    const both = layers.map((layer): readonly [number | null, number | null] => {
      const texts = of('entries', layer).filter((count) => count > 0).length;
      if (texts === 0) return [null, null];
      return [total(of('variance', layer)) / texts, total(of('below', layer)) / total(of('entries', layer))];
    });
    const AV = both.map(([variance]) => variance);
    const AS = both.map(([, sparsity]) => sparsity);
    const values = both.map(([variance, sparsity]) => (variance !== null && sparsity ? variance / sparsity : null));
    const sum = values.reduce<number>((whole, value) => whole + (value ?? 0), 0);
    const NAVSS = values.map((value) => (value === null || sum === 0 ? null : value / sum));
    let share = 0;
    // Up to an undefined layer that of the others; of none where none is defined.
    const CAVSS = NAVSS.map((value) => (sum === 0 ? null : (share += value ?? 0)));
    const without = layers.filter((layer) => values[layer] === null);
    const order = layers.filter((layer) => values[layer] !== null).sort((a, b) => values[a]! - values[b]!);
    const lowest = order.slice(0, Math.floor(0.25 * model.layers)).sort((a, b) => a - b);
    return {
      values,
      parts: { AV, AS, NAVSS, CAVSS },
      ...(lowest.length > 0
        ? {
            marks: [
              { at: lowest, words: 'lowest quarter, which the paper removes; measure the model without them first' },
            ],
          }
        : {}),
      notes:
        without.length > 0 ? [`${layerWords(without)}: no activation is below epsilon, so the value is undefined`] : [],
    };
  },
});
