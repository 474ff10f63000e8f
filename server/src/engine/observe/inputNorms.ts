/** Squared inputs of each linear module, summed over the tokens; what Wanda and OWL weigh matrices with. */
import type { Reducer } from './types.ts';

export const inputNorms: Reducer = {
  id: 'input_norms',
  open({ tensors }) {
    return {
      inputs(layer, inputs) {
        for (const [module, { squaredNorms }] of inputs) {
          const sums = tensors[`${layer}.${module}`].data;
          for (let j = 0; j < sums.length; j++) sums[j] += squaredNorms![j];
        }
      },
    };
  },
};
