/**
 * Taylor importance of a layer (LLM-Pruner; Shortened LLaMA): sum of |W_ij dL/dW_ij|, to first order what the loss
 * changes by when the weights are set to zero one by one. L is the mean loss of all texts, so the absolute value is
 * taken after the sum over texts. Over the weights of linear modules; norms and biases, which the papers' code adds,
 * are far below a percent of it.
 *
 * Raw values put the first layer of several Llama models last, though nothing works without it. `taylor_plus` therefore
 * keeps the first and the last layers whatever their values.
 */
import { batchesOption, jackknifed, layersOf, ofModules, partsOf, summed } from './byModule.ts';
import type { ObservedShape } from './observations.ts';
import { defineScore, layerWords } from './types.ts';
import type { ScoreNumbers } from './types.ts';
import type { Tensors } from '../../../protocol/scores.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

const shared = {
  version: 1,
  question: 'remove_block',
  subject: 'layer',
  unit: 'nats',
  higherMeans: 'keep',
} as const;

const needs = ({ batches }: { batches: number }) => ({
  gradients: { of: 'weighted_gradients' as const, options: { batches } },
});

export const taylor = defineScore({
  ...shared,
  id: 'taylor',
  title: 'Taylor importance',
  formula: 'sum over linear weights of |W * gradient of the mean loss|',
  source: 'LLM-Pruner, arXiv 2305.11627; Shortened LLaMA, arXiv 2402.02834',
  status: 'published',
  options: { batches: batchesOption },
  needs,
  score: ({ gradients }, _options, { model }) => numbersOf(gradients, model),
});

export const taylorPlus = defineScore({
  ...shared,
  id: 'taylor_plus',
  title: 'Taylor importance with protected ends',
  formula: 'Taylor importance; the first and the last layers are raised to the largest value',
  source: 'the + of Shortened LLaMA, arXiv 2402.02834, unconfirmed',
  status: 'ours',
  options: {
    batches: batchesOption,
    first: { type: 'number', default: 4, least: 0, whole: true, words: 'How many of the first layers are protected.' },
    last: { type: 'number', default: 2, least: 0, whole: true, words: 'How many of the last layers are protected.' },
  },
  needs,
  score({ gradients }, { first, last }, { model }) {
    const bare = numbersOf(gradients, model);
    const kept = layersOf(model).filter((layer) => layer < first || layer >= model.layers - last);
    const parts = { taylor: bare.values };
    if (kept.length === model.layers) {
      return {
        values: bare.values.map(() => null),
        parts,
        notes: [
          `all ${model.layers} layers are among the protected ${first} first and ${last} last ones, so there is no order`,
        ],
      };
    }
    const top = bare.values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
    return {
      ...bare,
      values: bare.values.map((value, layer) => (kept.includes(layer) ? top : value)),
      ...(bare.intervals
        ? { intervals: bare.intervals.map((interval, layer) => (kept.includes(layer) ? null : interval)) }
        : {}),
      parts,
      marks: [{ at: kept, words: 'protected: these stay' }],
      notes: [
        ...bare.notes,
        ...(kept.length > 0 ? [`${layerWords(kept)}: raised to the largest value of all layers`] : []),
      ],
    };
  },
});

function numbersOf(gradients: Tensors, model: ObservedShape): ScoreNumbers {
  const layers = layersOf(model);
  const values = layers.map((layer) => nth(summed(ofModules(gradients, 'whole', model, layer)), 0));
  const still = layers.filter((layer) => values[layer] === 0);
  return {
    values,
    parts: partsOf(model, (layer, module) => nth(entry(gradients, `whole/${layer}.${module}`).data, 0)),
    ...jackknifed(
      values,
      layers.map((layer) => summed(ofModules(gradients, 'without', model, layer))),
    ),
    notes: still.length > 0 ? [`${layerWords(still)}: no gradient reaches the weights`] : [],
  };
}
