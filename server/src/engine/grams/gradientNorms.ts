/**
 * Squared norm of each text's gradient of each linear module: the trace of the empirical Fisher matrix is their mean.
 */
import type { GradientReducer } from './gradientReducer.ts';

export const gradientNorms: GradientReducer = {
  id: 'gradient_norms',
  open: ({ tensors }) => {
    return async (matrix) => {
      tensors[`${matrix.layer}.${matrix.module}`].data.set(await matrix.squaredNorms());
    };
  },
};
