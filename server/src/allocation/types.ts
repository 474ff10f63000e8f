/** What the two tables of rules hold: rules that give counts, and rules that give sparsities. */
import type { Terms } from './terms.ts';

export interface CountInput {
  /** One per layer: scores, tail exponents, or anything where the rule needs nothing. */
  values: readonly number[];
  total: number;
  /** Of every layer. */
  minimum: number;
  beta: number;
  seed: number;
  /** What is counted, for the explanations: "expert", "experts". */
  noun: [one: string, many: string];
}

/** The term of a rule of counts that is the count itself, as a fraction. */
export const BEFORE_ROUNDING = 'before rounding';

export interface Counts {
  counts: number[];
  /** Ends the sentence "Layer 11 gets 9 experts because ...", without a full stop. */
  because(layer: number): string;
  notes: string[];
  /** By name, one number per layer: what stands between the value and the count. */
  terms?: Terms;
}

/**
 * What a rule looks at: `scores`, which are layer influence or whatever is asked for, the id of one score, or nothing.
 */
export type Need = 'scores' | (string & {}) | null;

export interface CountRule {
  id: string;
  title: string;
  formula: string;
  source: string;
  needs: Need;
  /** Default exponent; null for rules without one. */
  beta: number | null;
  /** Whether a layer with a larger value never gets less. */
  monotone: boolean;
  /** @throws LayerifError `badRequest` */
  allocate(input: CountInput): Counts;
}

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
  /** By name, one number per item: what stands between the value and the sparsity. */
  terms?: Terms;
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
