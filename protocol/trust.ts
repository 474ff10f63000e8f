/**
 * What is computed from finished runs to tell how far to trust them: damping sweep, comparison of runs, influence of
 * single tokens.
 */
import type { SettingDifference } from './settings.ts';
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
  /**
   * Of the layers' ranking with that of the run's own factor, and of the next factor; null where one of both is
   * missing.
   */
  toDefault: Agreement | null;
  toNext: Agreement | null;
}

/** Tasks, estimators, models or runs beside each other: `layerif compare`. */
export interface Comparison {
  format: 'layerif-comparison';
  version: 1;
  series: ComparedSeries[];
  /** The runs by what tells their files apart, and the settings in which they differ; none where there is one run. */
  runs: string[];
  settings: SettingDifference[];
  /** Scores per series after `byDepth`. */
  layers: number;
  /** Whether models of different depth were brought to the same number of layers by relative depth. */
  byDepth: boolean;
  /** Share of the cases inside an interval. */
  level: number;
  seed: number;
  pairs: ComparedPair[];
  /** Spearman of every series with every other. */
  matrix: (number | null)[][];
  /** What to know when reading the numbers. */
  notes: string[];
}

/** A task's layers as several estimators rank them, from the same gradients. */
export interface EstimatorComparison {
  task: string;
  /** The run's own first; null where there is none to compare with. */
  comparison: Comparison | null;
  /** Estimators that would take long. */
  left: EstimatorId[];
}

export interface ComparedSeries {
  /** Says what tells it apart from the others. */
  label: string;
  file: string;
  model: string;
  task: string;
  estimator: EstimatorId;
  aggregation: AggregationId;
  /** Scored layers and their scores, as they are in the run. */
  layers: number[];
  scores: number[];
  /** Bootstrap replicates; 0 where the Grams are gone or there are too few samples. */
  replicates: number;
}

export interface ComparedPair {
  /** Indices into `series`. */
  a: number;
  b: number;
  spearman: ComparedStatistic;
  kendall: ComparedStatistic;
  /**
   * Of the k layers with the highest scores, how many are the same; `chance` is the mean share of a random order, p its
   * upper tail.
   */
  topK: { k: number; shared: number; overlap: number; chance: number; p: number };
  /**
   * Spearman of the training samples' influence, brought together over layers in three ways; null where the two do not
   * have the same training samples or the Grams are gone.
   */
  samples: { mean: number | null; rank: number | null; vote: number | null } | null;
}

export interface ComparedStatistic {
  value: number | null;
  /** Over other training and validation samples, as many as these; it holds the value. */
  interval: [number, number] | null;
  /** Permutation test over the layers, two-sided. */
  p: number | null;
}

/** How far each predicted token of one validation sample contributes to the sample's influence: `layerif tokens`. */
export interface TokenInfluence {
  format: 'layerif-tokens';
  version: 1;
  file: string;
  model: string;
  task: string;
  estimator: EstimatorId;
  /** The validation sample, from 0, and where it stands. */
  validation: number;
  row: { file: string; row: number; line: number | null };
  /** Predicted tokens in the order of the text. */
  tokens: { position: number; id: number; text: string }[];
  layers: TokenLayer[];
  /**
   * Over layers and tokens: the largest difference between sums over tokens and the influence of the run, relative to
   * the largest one.
   */
  difference: number;
  /** Scored weights / all matrix weights of the layers. */
  coverage: number;
}

export interface TokenLayer {
  index: number;
  name: string;
  /**
   * Per token, summed over training samples and modules; positive = the training samples help to predict this token.
   */
  influence: number[];
  /** Their sum: what the run found for this validation sample. */
  sum: number;
}
