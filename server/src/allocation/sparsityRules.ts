/**
 * Rules that say how much of every layer is pruned. One file per rule; to add one, imitate `alphaPruning.ts` and add it to the table.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { alphaPruning } from './alphaPruning.ts';
import type { Need } from './countRules.ts';
import { layerifSparsity } from './layerifSparsity.ts';
import { owl } from './owl.ts';
import { reversedSparsity } from './reversedSparsity.ts';
import { uniformSparsity } from './uniformSparsity.ts';

export interface SparsityInput {
  /** One per item (layer, or matrix): score, tail exponent, outlier ratio. */
  values: readonly number[];
  /** Prunable weights of every item. */
  weights: readonly number[];
  /** Items that follow each other in depth: all layers, or the matrices of one module. */
  series: readonly (readonly number[])[];
  ratio: number;
  epsilon: number;
  lambda: number;
  /** What the cap cuts off is lost, and OWL takes the plain mean: as the reference codes do. */
  paper: boolean;
}

export interface SparsityMap {
  sparsity: number[];
  /** Ends the sentence "Layer 3 loses 52.1 % because ...", without a full stop. */
  because(item: number): string;
  notes: string[];
  atBound: number[];
}

export interface SparsityRule {
  id: string;
  title: string;
  formula: string;
  source: string;
  needs: Need;
  /** Whether a larger value means more pruning. */
  higherMeansMore: boolean;
  /** Defaults of the parameters that the rule uses; null for those that it does not. */
  epsilon: number | null;
  lambda: number | null;
  /** @throws LayerifError `badRequest` */
  map(input: SparsityInput): SparsityMap;
}

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
