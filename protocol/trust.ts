/** What is computed from finished runs to tell how far to trust them: damping sweep, comparison of runs, influence of single tokens. */
import type { AggregationId, DampingRule, EstimatorId } from './experiment.ts';

export interface Agreement {
  /** -1 .. 1; null where it is not defined (fewer than two layers, or all scores equal). */
  spearman: number | null;
  kendall: number | null;
}

/** Layer scores of a task over damping factors. */
export interface DampingSweep {
  task: string;
  estimator: EstimatorId;
  aggregation: AggregationId;
  rule: DampingRule;
  /** The factor of the run, which the others are compared with. */
  factor: number;
  layers: { index: number; name: string }[];
  /** Ascending by factor. */
  steps: DampingStep[];
}

export interface DampingStep {
  factor: number;
  /** One per layer; null where this factor cannot be used, for the reason in `error`. */
  scores: number[] | null;
  error: string | null;
  /** Of the layers' ranking with that of the run's own factor, and of the next factor; null where one of both is missing. */
  toDefault: Agreement | null;
  toNext: Agreement | null;
}
