/** Sum of W_ij times the mean gradient of each batch of texts, and the squared norm of the mean gradient of all. */
import { textBatches, textsOfBatch } from '../../scores/observations.ts';
import type { GradientReducer } from './gradientReducer.ts';
import { ofTotal } from './summedGradients.ts';

export const weightProducts: GradientReducer = {
  id: 'weight_products',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    const { texts } = shape;
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const { total, product } = await matrix.summed(count);
      for (let b = 0; b < count; b++) {
        tensors[`product/${name}`].data[b] = product[b] / textsOfBatch(texts, count, b);
      }
      tensors[`square/${name}`].data[0] = ofTotal(matrix.weight(), total).square / texts ** 2;
    };
  },
};
