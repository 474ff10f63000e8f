/**
 * Relative magnitude: how large a layer's contribution f(X) = X_l+1 - X_l is beside its output, RM = mean over tokens
 * of ‖f(X)‖ / ‖X + f(X)‖, the output of the last layer taken before the final norm. A baseline of ShortGPT; its exact
 * form there could not be confirmed.
 */
import { allTexts, ratioOfSums, textIntervals } from './drawnTexts.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import { entry } from '../lists/entry.ts';

export const relativeMagnitude = defineScore({
  id: 'relative_magnitude',
  version: 1,
  title: 'Relative magnitude',
  question: 'remove_block',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'mean over tokens of ‖output - input‖ / ‖output‖',
  source: 'baseline of ShortGPT, arXiv 2403.03853; formula unconfirmed',
  status: 'ours',
  options: {
    skip_first_token: {
      type: 'flag',
      default: false,
      words: 'Leave out the first token of each text, on which some models have massive activations.',
    },
  },
  needs: ({ skip_first_token }) => ({ change: { of: 'hidden_change', options: { skip_first_token } } }),
  drawn: ({ change }) => ratioOfSums(entry(change, 'sum'), entry(change, 'tokens')),

  score({ change }, _options, { model, random }) {
    const ofTexts = ratioOfSums(entry(change, 'sum'), entry(change, 'tokens'));
    const values = ofTexts(allTexts(model.texts));
    const layers = values.map((_, layer) => layer);
    const skipped = layers.filter((layer) => total(row(entry(change, 'skipped'), layer)) > 0);
    const empty = layers.filter((layer) => values[layer] === null);
    return {
      values,
      ...textIntervals(ofTexts, model.texts, random),
      notes: [
        ...(skipped.length > 0
          ? [
              `${total(entry(change, 'skipped').data)} tokens whose output is zero are left out (${layerWords(skipped)})`,
            ]
          : []),
        ...(empty.length > 0 ? [`${layerWords(empty)}: no token is left, so the value is undefined`] : []),
      ],
    };
  },
});
