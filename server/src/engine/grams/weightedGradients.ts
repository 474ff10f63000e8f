/**
 * Sum of |W_ij G_ij| of each linear module: G the mean gradient over all texts, over all but those of a batch, and over
 * those of a batch. The absolute value is taken after the sum over texts, so that opposite gradients cancel.
 */
import { textBatches, textsOfBatch } from '../../scores/observations.ts';
import type { GradientReducer } from './gradientReducer.ts';
import { ofTotal } from './summedGradients.ts';

export const weightedGradients: GradientReducer = {
  id: 'weighted_gradients',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    const { texts } = shape;
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const { total, weighted, restWeighted } = await matrix.summed(count);
      const all = ofTotal(matrix.weight(), total);
      tensors[`whole/${name}`].data[0] = all.weighted / texts;
      tensors[`square/${name}`].data[0] = all.square / texts ** 2;
      for (let b = 0; b < count; b++) {
        const own = textsOfBatch(texts, count, b);
        tensors[`batch/${name}`].data[b] = weighted[b] / own;
        tensors[`without/${name}`].data[b] = texts > own ? restWeighted[b] / (texts - own) : 0;
      }
    };
  },
};
