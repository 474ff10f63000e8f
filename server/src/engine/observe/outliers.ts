/**
 * OWL (arXiv 2310.05175): per layer the percent of |W_ij| ‖x_j‖ above a multiple of the mean, over all linear modules
 * of the layer.
 */
import { inputNorms as normsOf } from '../../pruning/wanda.ts';
import { asRows, weightName } from '../sweep/weights.ts';
import type { Reducer } from './types.ts';

export const outliers: Reducer = {
  id: 'outliers',
  open({ model, tensors, options }) {
    const { architecture, weights } = model;
    const multiple = Number(options.multiple);
    return {
      inputs(layer, inputs) {
        const parts = architecture.modules(layer).map((module) => {
          const { squaredNorms, sequences } = inputs.get(module.name)!;
          const weight = asRows(weights.values(weightName(architecture, layer, module)), module);
          return { columns: module.columns, norms: normsOf(squaredNorms, sequences, module.columns), weight };
        });
        let sum = 0;
        let count = 0;
        const each = (visit: (value: number) => void): void => {
          for (const { columns, norms, weight } of parts) {
            for (let i = 0; i < weight.length; i++) visit(Math.abs(weight[i]) * norms[i % columns]);
          }
        };
        each((value) => {
          sum += value;
          count++;
        });
        const limit = (multiple * sum) / count;
        let above = 0;
        each((value) => {
          if (value > limit) above++;
        });
        tensors.percent.data[layer] = (100 * above) / count;
      },
    };
  },
};
