/**
 * Which weights of each linear module the texts claim, by the signed sum of their gradients; how many without each
 * batch of texts.
 */
import { textBatches } from '../../scores/observations.ts';
import { claim, claimedCount, standard } from '../../scores/claimed.ts';
import type { GradientReducer } from './gradientReducer.ts';
import { addedUp } from './weightedGradients.ts';

export const claimedWeights: GradientReducer = {
  id: 'claimed_weights',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const weight = matrix.weight();
      const sums = await matrix.sums(count);
      const total = addedUp(sums);
      const bits = tensors[`bits/${name}`]?.data;
      const found = claim(weight, total, (at) => {
        if (bits) bits[at >> 3] |= 128 >> (at & 7);
      });
      tensors[`claimed/${name}`].data[0] = found.count;
      tensors[`mask/${name}`].data[0] = found.mask;
      tensors[`shuffled/${name}`].data[0] = found.shuffled;
      tensors[`weight/${name}`].data[0] = found.weight;
      tensors[`gradient/${name}`].data[0] = found.sum / shape.texts;
      if (sums.length < 2) return;
      const own = standard(weight);
      const rest = new Float64Array(weight.length);
      for (const [b, sum] of sums.entries()) {
        for (let i = 0; i < rest.length; i++) rest[i] = total[i] - sum[i];
        tensors[`without/${name}`].data[b] = claimedCount(weight, own, rest);
      }
    };
  },
};
