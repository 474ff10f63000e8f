/**
 * Angular distance over n layers (Gromov et al.): D_n(l) = mean over texts of arccos(cos(X_l, X_l+n)) / pi at the last
 * token, X_l the input of layer l and the output of the last layer taken before the final norm. From 0 to 1. The paper
 * removes the n layers from the l with the least D_n(l); as a baseline it removes the n deepest but the last.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { allTexts, textIntervals } from './drawnTexts.ts';
import type { ObservedShape } from './observations.ts';
import { defineScore } from './types.ts';
import type { OfTexts } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { dotAt } from '../linear/vectors.ts';

export const angularDistance = defineScore({
  id: 'angular_distance',
  version: 1,
  title: 'Angular distance over n layers',
  question: 'remove_block',
  subject: 'layer_pair',
  unit: '',
  higherMeans: 'keep',
  formula: 'mean over texts of arccos(cos(input of layer l, input of layer l + n)) / pi at the last token',
  source: 'Gromov et al., arXiv 2403.17887',
  status: 'published',
  options: {},
  needs: () => ({ last: { of: 'text_states', options: { pool: 'last' } } }),
  drawn: ({ last }, _options, { model }) => {
    const all = distances(entry(last, 'states'), model);
    return (texts) => all(texts).slice(0, model.layers);
  },

  score({ last }, _options, { model, random }) {
    const { layers } = model;
    const ofTexts = distances(entry(last, 'states'), model);
    const values = ofTexts(allTexts(model.texts));
    const best = Array.from({ length: layers }, (_, i) => {
      const own = values.slice(i * layers, (i + 1) * layers);
      const known = own.filter((value) => value !== null);
      return known.length === 0 ? -1 : i * layers + own.indexOf(Math.min(...known));
    }).filter((at) => at >= 0);
    const undefinedPlaces = values.filter(
      (value, at) => value === null && (at % layers) + Math.floor(at / layers) < layers,
    );
    return {
      axes: [
        { name: 'layers together', labels: Array.from({ length: layers }, (_, i) => i + 1) },
        { name: 'first layer', labels: Array.from({ length: layers }, (_, layer) => layer) },
      ],
      values,
      ...textIntervals(ofTexts, model.texts, random),
      layers: { values: values.slice(0, layers), words: 'one layer alone, n = 1' },
      marks: [{ at: best, words: 'least distance for that many layers, which the paper removes' }],
      notes: [
        'Places are empty where so many layers do not follow any more.',
        ...(undefinedPlaces.length > 0
          ? [
              `${undefinedPlaces.length} places have no text whose states have a direction at both ends and are undefined`,
            ]
          : []),
      ],
    };
  },
});

/** Values [n - 1][l], null where l + n is beyond the last layer. */
function distances({ data, shape }: Tensors[string], { layers, texts }: ObservedShape): OfTexts {
  const hidden = nth(shape, 2);
  const norms = new Float64Array((layers + 1) * texts);
  for (let at = 0; at < norms.length; at++) norms[at] = Math.sqrt(dotAt(data, at * hidden, at * hidden, hidden));
  const angles = new Map<number, Float64Array>();
  for (let n = 1; n <= layers; n++) {
    for (let l = 0; l + n <= layers; l++) {
      const own = new Float64Array(texts);
      for (let text = 0; text < texts; text++) {
        const [a, b] = [l * texts + text, (l + n) * texts + text];
        const cosine = dotAt(data, a * hidden, b * hidden, hidden) / (nth(norms, a) * nth(norms, b));
        own[text] = Math.acos(Math.min(1, Math.max(-1, cosine))) / Math.PI;
      }
      angles.set((n - 1) * layers + l, own);
    }
  }
  return (chosen) =>
    Array.from({ length: layers * layers }, (_, at) => {
      const own = angles.get(at);
      if (!own) return null;
      let [sum, count] = [0, 0];
      for (let i = 0; i < chosen.length; i++) {
        const angle = nth(own, nth(chosen, i));
        // A state that is zero has no direction.
        if (Number.isNaN(angle)) continue;
        sum += angle;
        count++;
      }
      return count === 0 ? null : sum / count;
    });
}
