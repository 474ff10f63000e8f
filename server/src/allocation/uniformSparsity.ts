/** The same sparsity everywhere, a baseline. */
import type { SparsityRule } from './types.ts';

export const uniformSparsity: SparsityRule = {
  id: 'uniform',
  title: 'the same for every layer',
  formula: 'p = ratio',
  source: 'baseline',
  needs: null,
  higherMeansMore: true,
  epsilon: null,
  lambda: null,

  map: ({ values, ratio }) => ({
    sparsity: values.map(() => ratio),
    because: () => 'every layer is pruned alike, whatever its score',
    notes: [],
    atBound: [],
  }),
};
