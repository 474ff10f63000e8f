/**
 * Eigenvalues of W Wᵀ of each linear module, by the matrix as the checkpoint has it. Factors of an adapter are no
 * matrices of the model.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import { squaredSingularValues } from '../../linear/eigenvalues.ts';
import { eachStored } from './storedWeights.ts';
import type { Reducer } from './types.ts';

export const weightSpectra: Reducer = {
  id: 'weight_spectra',
  open: (context) => ({
    weights: (layer) =>
      eachStored(context, layer, ({ name, rows, columns, transposed }, tensor, stored) => {
        try {
          const sides = transposed ? ([columns, rows] as const) : ([rows, columns] as const);
          context.tensors[`${layer}.${name}`].data.set(squaredSingularValues(stored(), ...sides));
        } catch (error) {
          if (error instanceof LayerifError) throw error;
          throw new LayerifError('badModel', `tensor ${tensor}: ${(error as Error).message}`, { cause: error });
        }
      }),
  }),
};
