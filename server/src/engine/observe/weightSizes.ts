/**
 * Sum of the absolute values of each linear module's weights, and of their squares, by the matrix as the checkpoint has
 * it.
 */
import { weightName } from '../sweep/weights.ts';
import type { Reducer } from './types.ts';

export const weightSizes: Reducer = {
  id: 'weight_sizes',
  open({ model, tensors, shape }) {
    const { architecture, weights, runtime } = model;
    return {
      async weights(layer) {
        for (const { name } of shape.modules(layer)) {
          const module = architecture.modules(layer).find((m) => m.name === name)!;
          const stored = weights.original(weightName(architecture, layer, module));
          let [absolute, squares] = [0, 0];
          for (const value of stored) {
            absolute += Math.abs(value);
            squares += value * value;
          }
          tensors[`${layer}.${name}`].data.set([absolute, squares]);
        }
        // A turn of the loop, in which a cancel can arrive.
        await new Promise((turn) => setImmediate(turn));
        runtime.signal?.throwIfAborted();
      },
    };
  },
};
