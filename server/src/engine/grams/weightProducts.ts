/** Sum of W_ij times the mean gradient of each batch of texts, and the squared norm of the mean gradient of all. */
import { textBatches, textsOfBatch } from '../../scores/observations.ts';
import type { GradientReducer } from './gradientReducer.ts';
import { addedUp } from './weightedGradients.ts';

export const weightProducts: GradientReducer = {
  id: 'weight_products',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    const { texts } = shape;
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const weight = matrix.weight();
      const sums = await matrix.sums(count);
      for (const [b, sum] of sums.entries()) {
        let product = 0;
        for (let i = 0; i < weight.length; i++) product += weight[i] * sum[i];
        tensors[`product/${name}`].data[b] = product / textsOfBatch(texts, count, b);
      }
      tensors[`square/${name}`].data[0] = addedUp(sums).reduce((square, g) => square + g * g, 0) / texts ** 2;
    };
  },
};
