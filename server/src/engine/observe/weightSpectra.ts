/**
 * Eigenvalues of W Wᵀ of each linear module, by the matrix as the checkpoint has it. Factors of an adapter are no
 * matrices of the model.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { squaredSingularValues } from '../../linear/eigenvalues.ts';
import { weightName } from '../sweep/weights.ts';
import type { Reducer } from './types.ts';

export const weightSpectra: Reducer = {
  id: 'weight_spectra',
  open({ model, tensors, shape }) {
    const { architecture, weights, runtime } = model;
    return {
      async weights(layer) {
        for (const { name } of shape.modules(layer)) {
          const module = architecture.modules(layer).find((m) => m.name === name)!;
          const { rows, columns, transposed } = module;
          const tensor = weightName(architecture, layer, module);
          try {
            const stored = weights.original(tensor);
            const values = transposed
              ? squaredSingularValues(stored, columns, rows)
              : squaredSingularValues(stored, rows, columns);
            tensors[`${layer}.${name}`].data.set(values);
          } catch (error) {
            if (error instanceof LayerifError) throw error;
            throw new LayerifError('badModel', `tensor ${tensor}: ${(error as Error).message}`, { cause: error });
          }
          // A turn of the loop, in which a cancel can arrive.
          await new Promise((turn) => setImmediate(turn));
          runtime.signal?.throwIfAborted();
        }
      },
    };
  },
};
