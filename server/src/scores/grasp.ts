/**
 * GraSP: how the norm of the gradient changes when weights are taken away, -W_ij (H g)_ij to first order, summed over a
 * layer; H the Hessian of the mean loss, g its gradient, both over the weights of all linear modules. The product H g
 * is the central difference of gradients at weights moved along g. GraSP removes the highest scores of this sign: their
 * removal leaves the gradient flow, or raises it.
 */
import { textsOfBatch } from './observations.ts';
import type { Tensors } from '../../../protocol/scores.ts';
import { batchesOption, jackknifed, layersOf, ofModules, partsOf } from './byModule.ts';
import { defineScore, total } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const grasp = defineScore({
  id: 'grasp',
  version: 1,
  title: 'GraSP, gradient signal preservation',
  question: 'prune_weights',
  subject: 'layer',
  unit: '',
  higherMeans: 'remove',
  formula: '-sum of W * (H g), H g by central differences along the gradient g',
  source: 'GraSP, arXiv 2002.07376',
  status: 'published',
  options: {
    batches: batchesOption,
    step: {
      type: 'number',
      default: 0.01,
      above: 0,
      most: 1,
      words: 'Change of the loss, in nats, that the step along the gradient aims at.',
    },
  },
  needs: ({ batches, step }) => ({ moved: { of: 'moved_gradients', options: { batches, step } } }),

  score({ moved }, _options, { model }) {
    const layers = layersOf(model);
    const [norm] = entry(moved, 'norm').data;
    if (norm === 0) {
      return { values: layers.map(() => null), notes: ['no gradient reaches any weight, so there is no direction'] };
    }
    const of = (layer: number, module: string) => products(moved, `${layer}.${module}`, model.texts);
    const sums = layers.map((layer) => ofModules(moved, 'plus', model, layer).map(({ module }) => of(layer, module)));
    const values = sums.map((own) => total(own.map(({ whole }) => whole)));
    return {
      values,
      parts: partsOf(model, (layer, module) => of(layer, module).whole),
      ...jackknifed(
        values,
        sums.map((own) => (own[0]?.without ?? []).map((_, b) => total(own.map(({ without }) => nth(without, b))))),
      ),
      notes: ['intervals: other texts for the Hessian, along the same gradient'],
    };
  },
});

/** -<W, H g> of a module for all texts, and without each batch. */
function products(moved: Tensors, name: string, texts: number): { whole: number; without: number[] } {
  const [plus, minus] = [entry(moved, `plus/${name}`).data, entry(moved, `minus/${name}`).data];
  const count = plus.length;
  const step = nth(entry(moved, 'step').data, 0);
  const sizes = Array.from({ length: count }, (_, b) => textsOfBatch(texts, count, b));
  const each = sizes.map((size, b) => (-size * (nth(plus, b) - nth(minus, b))) / (2 * step));
  const sum = total(each);
  return {
    whole: sum / texts,
    without: count < 2 ? [] : each.map((own, b) => (sum - own) / (texts - nth(sizes, b))),
  };
}
