/**
 * Trace of the empirical Fisher matrix of a layer: the mean over texts of the squared norm of each text's own gradient.
 * The squared norm of the mean gradient is another number, never larger. Per weight, layers of different sizes can be
 * compared.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { layersOf, ofModules, partsOf, summed } from './byModule.ts';
import { allTexts, textIntervals } from './drawnTexts.ts';
import type { ObservedShape } from './observations.ts';
import { defineScore, layerWords, total } from './types.ts';
import type { OfTexts } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const fisherTrace = defineScore({
  id: 'fisher_trace',
  version: 1,
  title: 'Trace of the empirical Fisher matrix',
  question: 'prune_weights',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: "mean over texts of |gradient of the text's mean loss|^2",
  source: 'Fisher pruning, arXiv 1801.05787',
  status: 'published',
  options: {
    per_weight: { type: 'flag', default: false, words: 'Divide by the number of weights of the layer or module.' },
  },
  needs: () => ({ norms: { of: 'gradient_norms', options: {} } }),
  drawn: ({ norms }, { per_weight }, { model }) => traces(norms, per_weight, model),

  score({ norms }, { per_weight }, { model, random }) {
    const ofTexts = traces(norms, per_weight, model);
    const { texts } = model;
    const values = ofTexts(allTexts(texts));
    const still = layersOf(model).filter((layer) => values[layer] === 0);
    return {
      values,
      parts: partsOf(
        model,
        (layer, module, size) => total(entry(norms, `${layer}.${module}`).data) / texts / (per_weight ? size : 1),
      ),
      ...textIntervals(ofTexts, texts, random),
      notes: still.length > 0 ? [`${layerWords(still)}: no gradient reaches the weights`] : [],
    };
  },
});

function traces(norms: Tensors, perWeight: boolean, model: ObservedShape): OfTexts {
  const squares = layersOf(model).map((layer) => {
    const modules = ofModules(norms, '', model, layer);
    const size = perWeight ? total(modules.map((module) => module.size)) : 1;
    return summed(modules).map((square) => square / size);
  });
  return (texts) =>
    squares.map((own) => {
      let sum = 0;
      for (let i = 0; i < texts.length; i++) sum += nth(own, nth(texts, i));
      return texts.length === 0 ? null : sum / texts.length;
    });
}
