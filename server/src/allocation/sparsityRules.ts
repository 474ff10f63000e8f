/**
 * Rules that say how much of every layer is pruned. One file per rule; to add one, imitate `alphaPruning.ts` and add it
 * to the table.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { alphaPruning } from './alphaPruning.ts';
import { layerifSparsity } from './layerifSparsity.ts';
import { owl } from './owl.ts';
import { reversedSparsity } from './reversedSparsity.ts';
import type { SparsityRule } from './types.ts';
import { uniformSparsity } from './uniformSparsity.ts';

export const sparsityRules: readonly SparsityRule[] = [
  layerifSparsity,
  owl,
  alphaPruning,
  uniformSparsity,
  reversedSparsity,
];

/** @throws LayerifError `badRequest` */
export function sparsityRule(id: string): SparsityRule {
  const rule = sparsityRules.find((known) => known.id === id);
  if (rule) return rule;
  throw new LayerifError(
    'badRequest',
    `rule "${id}" gives no sparsity: use one of ${sparsityRules.map((known) => known.id).join(', ')}`,
  );
}
