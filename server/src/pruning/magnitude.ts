/**
 * Magnitude pruning (Han et al. 2015, arXiv 1506.02626) over a whole matrix: the threshold is the value at position
 * floor(sparsity * entries) of the ascending |W|, and everything up to it becomes zero, as the baselines of Wanda do
 * it; so at least one entry goes unless the sparsity is 0. N:M: the M - N smallest |W| of every group.
 */
import { markSmallestOfGroups, valueAt } from './structure.ts';
import type { Pruner } from './types.ts';

export const magnitude: Pruner = {
  id: 'magnitude',
  title: 'smallest weights',
  source: 'Han et al. 2015, arXiv 1506.02626',
  needs: 'nothing',

  prune({ weight, rows, columns }, _statistics, { sparsity, structure }) {
    if (structure) {
      for (let r = 0; r < rows; r++) {
        const row = weight.subarray(r * columns, (r + 1) * columns);
        markSmallestOfGroups(row.map(Math.abs), structure, (i) => (row[i] = 0));
      }
      return;
    }
    const position = Math.floor(weight.length * sparsity);
    if (sparsity <= 0) return;
    const threshold = position >= weight.length ? Infinity : valueAt(weight.map(Math.abs), position);
    for (let i = 0; i < weight.length; i++) if (Math.abs(weight[i]) <= threshold) weight[i] = 0;
  },
};
