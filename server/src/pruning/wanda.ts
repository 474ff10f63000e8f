/**
 * Wanda (Sun et al., ICLR 2024, arXiv 2306.11695): a weight counts as much as it moves its output, |W_ij| ‖X_j‖₂,
 * compared within each output row. The floor(columns * sparsity) smallest of a row become zero, in N:M the M - N
 * smallest of each group; no weight is changed otherwise. ‖X_j‖² is the mean over calibration texts of the sum over
 * tokens; a constant factor is without effect.
 */
import { markSmallest, markSmallestOfGroups } from './structure.ts';
import type { Pruner } from './types.ts';

export const wanda: Pruner = {
  id: 'wanda',
  title: 'weights times input norms, per output',
  source: 'Sun et al., ICLR 2024, arXiv 2306.11695',
  needs: 'squaredNorms',

  prune({ weight, rows, columns }, statistics, { sparsity, structure }) {
    const norms = inputNorms(statistics?.squaredNorms, statistics?.sequences ?? 0, columns);
    const count = Math.floor(columns * sparsity);
    const metric = new Float32Array(columns);
    const scratch = new Float32Array(columns);
    for (let r = 0; r < rows; r++) {
      const row = weight.subarray(r * columns, (r + 1) * columns);
      for (let j = 0; j < columns; j++) metric[j] = Math.abs(row[j]) * norms[j];
      const remove = (j: number): void => {
        row[j] = 0;
      };
      if (structure) markSmallestOfGroups(metric, structure, remove);
      else markSmallest(metric, count, scratch, remove);
    }
  },
};

/** ‖X_j‖₂ as float32. @throws Error when there are not `columns` squared norms */
export function inputNorms(squared: Float64Array | undefined, sequences: number, columns: number): Float32Array {
  if (squared?.length !== columns || !(sequences > 0)) {
    throw new Error(`pruning needs ${columns} input norms, got ${squared?.length ?? 'none'} from ${sequences} texts`);
  }
  return Float32Array.from(squared, (s) => Math.sqrt(s / sequences));
}
