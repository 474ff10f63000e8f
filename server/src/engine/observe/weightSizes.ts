/**
 * Sum of the absolute values of each linear module's weights, and of their squares, by the matrix as the checkpoint has
 * it.
 */
import { eachStored } from './storedWeights.ts';
import type { Reducer } from './types.ts';

export const weightSizes: Reducer = {
  id: 'weight_sizes',
  open: (context) => ({
    weights: (layer) =>
      eachStored(context, layer, ({ name }, _tensor, stored) => {
        let [absolute, squares] = [0, 0];
        for (const value of stored()) {
          absolute += Math.abs(value);
          squares += value * value;
        }
        context.tensors[`${layer}.${name}`].data.set([absolute, squares]);
      }),
  }),
};
