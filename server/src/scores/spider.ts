/**
 * SPIDER's question per layer: which share of the weights does the task claim, because its summed gradient is larger
 * among the gradients of their matrix than the weight is among the weights? About half is claimed whatever the task, so
 * only the distance from the value under a shuffled gradient says something; it stands beside every layer and module.
 * Sizes of weights and gradients are given raw, for within each matrix both are standardised away.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { batchesOption, jackknifed, layersOf, ofModules, partsOf, summed } from './byModule.ts';
import type { ObservedShape } from './observations.ts';
import { defineScore, layerWords, total } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const spider = defineScore({
  id: 'spider',
  version: 1,
  title: 'Share of the weights that the task claims',
  question: 'place_adapters',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'share of weights whose standardised |summed gradient| is above their standardised |W|, each in its matrix',
  source: 'SPIDER, arXiv 2411.10928; the share by layer is ours',
  status: 'ours',
  options: {
    batches: batchesOption,
    mask: {
      type: 'flag',
      default: false,
      words: 'Keep which weights are claimed, a bit each, for layerif export --to claimed-mask.',
    },
  },
  needs: ({ batches, mask }) => ({ claims: { of: 'claimed_weights', options: { batches, mask } } }),

  score({ claims }, _options, { model }) {
    const layers = layersOf(model);
    const sizes = layers.map((layer) => total(model.modules(layer).map(({ rows, columns }) => rows * columns)));
    const shares = (name: string) =>
      layers.map((layer) => nth(summed(ofModules(claims, name, model, layer)), 0) / nth(sizes, layer));
    const values = shares('claimed');
    const shuffled = shares('shuffled');
    const gradient = shares('gradient');
    const still = layers.filter((layer) => gradient[layer] === 0);
    const share = (name: string) => (layer: number, module: string, size: number) =>
      nth(entry(claims, `${name}/${layer}.${module}`).data, 0) / size;
    return {
      values,
      parts: {
        ...partsOf(model, share('claimed')),
        ...prefixed('shuffled ', partsOf(model, share('shuffled'))),
        'above shuffled': values.map((value, layer) => value - nth(shuffled, layer)),
        'mean mask': shares('mask'),
        'mean |W|': shares('weight'),
        'mean |gradient|': gradient,
      },
      reference: { value: shuffled, words: 'the same gradient in random order within each matrix' },
      ...jackknifed(values, withoutBatches(claims, model, sizes)),
      notes: still.length > 0 ? [`${layerWords(still)}: no gradient reaches the weights, so nothing is claimed`] : [],
    };
  },
});

function withoutBatches(claims: Tensors, model: ObservedShape, sizes: readonly number[]): Float64Array[] {
  return layersOf(model).map((layer) =>
    summed(ofModules(claims, 'without', model, layer)).map((count) => count / nth(sizes, layer)),
  );
}

function prefixed<T>(words: string, parts: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [`${words}${name}`, part]));
}
