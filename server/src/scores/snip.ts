/**
 * SNIP's connection sensitivity of a layer: its share in the sum over all weights of |W_ij g_ij|, g the gradient of one
 * batch. The absolute value is taken for each batch by itself and averaged over the batches, so that other than in
 * Taylor importance the gradients of different batches do not cancel. Large layers have large shares: what all weights
 * alike would give stands beside it.
 */
import { batchesOption, jackknifed, layersOf, ofModules, partsOf, summed } from './byModule.ts';
import { defineScore, total } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const snip = defineScore({
  id: 'snip',
  version: 1,
  title: 'SNIP connection sensitivity',
  question: 'prune_weights',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'share of the layer in the sum of |W * gradient of a batch|, mean over batches',
  source: 'SNIP, arXiv 1810.02340',
  status: 'published',
  options: { batches: { ...batchesOption, least: 1 } },
  needs: ({ batches }) => ({ gradients: { of: 'weighted_gradients', options: { batches } } }),

  score({ gradients }, _options, { model }) {
    const layers = layersOf(model);
    const sums = layers.map((layer) => summed(ofModules(gradients, 'batch', model, layer)));
    const whole = total(sums.map((batches) => total(batches)));
    const share = (sum: number) => (whole > 0 ? sum / whole : null);
    const values = sums.map((batches) => share(total(batches)));
    const without = sums.map((batches) =>
      Float64Array.from(batches, (own, b) => {
        const rest = whole - total(sums.map((others) => nth(others, b)));
        return rest > 0 ? (total(batches) - own) / rest : 0;
      }),
    );
    const sizes = layers.map((layer) => total(model.modules(layer).map(({ rows, columns }) => rows * columns)));
    return {
      values,
      parts: partsOf(model, (layer, module) => share(total(entry(gradients, `batch/${layer}.${module}`).data))),
      ...jackknifed(values, without),
      reference: { value: sizes.map((size) => size / total(sizes)), words: 'all weights alike' },
      notes: whole > 0 ? [] : ['no gradient reaches any weight, so there are no shares'],
    };
  },
});
