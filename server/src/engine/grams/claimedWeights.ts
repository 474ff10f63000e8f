/**
 * Which weights of each linear module the texts claim, by the signed sum of their gradients; how many without each
 * batch of texts.
 */
import { textBatches } from '../../scores/observations.ts';
import { claim, standard, standardOf } from '../../scores/claimed.ts';
import type { GradientReducer } from './gradientReducer.ts';

export const claimedWeights: GradientReducer = {
  id: 'claimed_weights',
  open({ options, shape, tensors }) {
    const count = textBatches(shape, options);
    return async (matrix) => {
      const name = `${matrix.layer}.${matrix.module}`;
      const weight = matrix.weight();
      const { total, restSize, restSquare } = await matrix.summed(count);
      const bits = tensors[`bits/${name}`]?.data;
      const mark =
        bits &&
        ((entry: number) => {
          const at = matrix.place(entry);
          bits[at >> 3] |= 128 >> (at & 7);
        });
      const found = claim(weight, total, mark);
      tensors[`claimed/${name}`].data[0] = found.count;
      tensors[`mask/${name}`].data[0] = found.mask;
      tensors[`shuffled/${name}`].data[0] = found.shuffled;
      tensors[`weight/${name}`].data[0] = found.weight;
      tensors[`gradient/${name}`].data[0] = found.sum / shape.texts;
      if (count < 2) return;
      const rests = Array.from(restSize, (size, b) => standardOf(weight.length, size, restSquare[b]));
      tensors[`without/${name}`].data.set(await matrix.countBelow(standard(weight), rests));
    };
  },
};
