/**
 * Block Influence (ShortGPT): how much a layer turns the hidden state, BI = 1 - mean over tokens of cos(X_l, X_l+1),
 * the output of the last layer taken before the final norm. From 0 (the layer only scales) over 1 (at a right angle) to
 * 2; low layers are removed first.
 */
import { bootstrapInterval } from '../statistics/bootstrap.ts';
import { ratioOfSums } from './drawnTexts.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import { entry } from '../lists/entry.ts';
import { sumAt } from '../linear/vectors.ts';

const LEVEL = 0.9;

export const blockInfluence = defineScore({
  id: 'block_influence',
  version: 1,
  title: 'Block Influence',
  question: 'remove_block',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: '1 - mean over tokens of cos(input, output)',
  source: 'ShortGPT, arXiv 2403.03853',
  status: 'published',
  options: {
    skip_first_token: {
      type: 'flag',
      default: false,
      words: 'Leave out the first token of each text, on which some models have massive activations.',
    },
  },
  needs: ({ skip_first_token }) => ({ cosine: { of: 'hidden_cosine', options: { skip_first_token } } }),
  drawn: ({ cosine }) => {
    const means = ratioOfSums(entry(cosine, 'sum'), entry(cosine, 'tokens'));
    return (texts) => means(texts).map((mean) => (mean === null ? null : 1 - mean));
  },

  score({ cosine }, _options, { model, random }) {
    const layers = Array.from({ length: model.layers }, (_, layer) => layer);
    const of = (layer: number, texts: ArrayLike<number>) => {
      const sums = row(entry(cosine, 'sum'), layer);
      const tokens = row(entry(cosine, 'tokens'), layer);
      const count = sumAt(tokens, texts);
      return count === 0 ? null : 1 - sumAt(sums, texts) / count;
    };
    const all = Array.from({ length: model.texts }, (_, text) => text);
    const values = layers.map((layer) => of(layer, all));
    const skipped = layers.filter((layer) => total(row(entry(cosine, 'skipped'), layer)) > 0);
    const empty = layers.filter((layer) => values[layer] === null);
    return {
      values,
      ...(model.texts > 1
        ? {
            intervals: layers.map((layer) =>
              bootstrapInterval(model.texts, (texts) => of(layer, texts), { random, level: LEVEL }),
            ),
            level: LEVEL,
          }
        : {}),
      notes: [
        ...(skipped.length > 0
          ? [
              `${total(entry(cosine, 'skipped').data)} tokens whose input or output is zero have no direction and are left out (${layerWords(skipped)})`,
            ]
          : []),
        ...(empty.length > 0 ? [`${layerWords(empty)}: no token is left, so the value is undefined`] : []),
      ],
    };
  },
});
