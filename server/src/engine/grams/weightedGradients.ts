/**
 * Sum of |W_ij G_ij| of each linear module: G the mean gradient over all texts, over all but those of a batch, and over
 * those of a batch. The absolute value is taken after the sum over texts, so that opposite gradients cancel.
 */
import { textBatches, textsOfBatch } from '../../scores/observations.ts';
import type { GradientReducer } from './gradientReducer.ts';

export const weightedGradients: GradientReducer = {
  id: 'weighted_gradients',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    const { texts } = shape;
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const weight = matrix.weight();
      const sums = await matrix.sums(count);
      const total = addedUp(sums);
      let [whole, square] = [0, 0];
      for (let i = 0; i < weight.length; i++) {
        whole += Math.abs(weight[i] * total[i]);
        square += total[i] * total[i];
      }
      tensors[`whole/${name}`].data[0] = whole / texts;
      tensors[`square/${name}`].data[0] = square / texts ** 2;
      for (const [b, sum] of sums.entries()) {
        const own = textsOfBatch(texts, count, b);
        let [batch, without] = [0, 0];
        for (let i = 0; i < weight.length; i++) {
          batch += Math.abs(weight[i] * sum[i]);
          without += Math.abs(weight[i] * (total[i] - sum[i]));
        }
        tensors[`batch/${name}`].data[b] = batch / own;
        tensors[`without/${name}`].data[b] = texts > own ? without / (texts - own) : 0;
      }
    };
  },
};

/** In float64. */
export function addedUp(sums: readonly Float32Array[]): Float64Array {
  const total = Float64Array.from(sums[0]);
  for (const sum of sums.slice(1)) for (let i = 0; i < total.length; i++) total[i] += sum[i];
  return total;
}
