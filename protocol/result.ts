/** The result file, `NAME.layerif-result.json`. Fields are only ever added. */
import type { EstimatorId, Experiment } from './experiment.ts';
import type { MeasuredMemory, Phases, Provenance } from './provenance.ts';

export const RESULT_SUFFIX = '.layerif-result.json';
export const GRAMS_FILE = 'grams.safetensors';

export interface Result {
  format: 'layerif-result';
  version: 1;
  /** `partial` while a run is under way or after a cancel. */
  status: 'partial' | 'complete';
  experiment: Experiment;
  /** Absolute path of the experiment file at the time of the run: the editor jumps back to it. */
  experimentFile: string;
  model: ResultModel;
  score: {
    estimator: EstimatorId;
    sign: 'positive_is_helpful';
    /** null: exact gradients. */
    projection: ResultProjection | null;
    /** From sums of gradients; absent: from Grams of all samples. */
    accumulate?: 'sums';
    /** With the estimator `ekfac`. */
    fisher?: 'empirical' | 'true';
  };
  tasks: ResultTask[];
  provenance: Provenance<Phases> & MeasuredMemory;
}

/** Captures projected to `rank` numbers a side with matrices drawn from `seed`. */
export interface ResultProjection {
  rank: number;
  seed: number;
  /** One entry per finished task: its error, estimated from a few samples whose Grams were computed both ways. */
  error: ResultProjectionError[];
}

export interface ResultProjectionError {
  task: string;
  /** Samples that were computed both ways. */
  train: number;
  validation: number;
  /** Whose layer scores are compared. */
  estimator: EstimatorId;
  /** Rank correlation of the layer scores of both ways; null with fewer than two layers. */
  spearman: number | null;
  /** Median and largest over all weight matrices of the Grams' relative error (Frobenius). */
  gramError: number;
  largestGramError: number;
}

export interface ResultModel {
  name: string;
  family: string;
  layers: number;
  /** Number of weights. */
  parameters: number;
  scoredParameters: number;
  /** Names of scored modules below a layer. */
  modules: string[];
  /** Scored weights / all matrix and kernel weights of the layers, 0..1. */
  coverage: number;
  /** Over the hex SHA-256 of the weight files in name order. */
  sha256: string;
  /**
   * Where the model's files disagree with each other, and what of them was left out; absent where there is nothing to
   * say.
   */
  notes?: string[];
  /** Of a hub id: the commit that the branch, tag or commit stood for. */
  revision?: string;
}

export interface SampleRow {
  /** Path relative to the experiment file's folder, with `/`. */
  file: string;
  /** From 0, within the file. */
  row: number;
  /** From 1; null where the format has no lines (Parquet, Arrow). */
  line: number | null;
  tokens: number;
  truncated: boolean;
}

export interface ResultSamples {
  samples: number;
  tokens: number;
  truncated: number;
  rows: SampleRow[];
  /** Mean nats per counted token, one per sample. */
  loss: number[];
  /** Layer x sample, over the layer's scored weights. NaN-free; [] for layers that are not scored yet. */
  gradientSquaredNorm: number[][];
}

export interface ResultLayer {
  index: number;
  name: string;
  score: number;
  positive: number;
  top25: number;
  sum: number;
  modules: Record<string, { score: number }>;
  /** Modules whose training gradients are all zero: their influence is 0 by definition. */
  zeroGradient?: string[];
  /** Of the iterative estimator `lissa`: the module with the largest residual. */
  convergence?: { module: string; iterations: number; residual: number; converged: boolean };
  /**
   * Where the score lies on other samples of the same kind: an interval of the task's `uncertainty.level` that holds
   * the score.
   */
  interval?: [number, number];
  /** The same for its rank among the layers, 1 being the highest score. */
  rankInterval?: [number, number];
  /** Whether the rank interval spans more than a third of the layers. */
  unstable?: boolean;
}

/** How sure a task's layer scores are, from its Grams alone (`run/influence/uncertainty.ts`). */
export interface ResultUncertainty {
  /** Share of the replicates inside an interval. */
  level: number;
  /**
   * Draws that leave out a fifth of the training or of the validation samples; their scatter is enlarged to that of all
   * samples.
   */
  replicates: number;
  seed: number;
  /**
   * What of the estimator was computed again for every replicate. `resampled`: all of it; `none`: the influence of a
   * pair depends on no other sample, so all of it too; `fixed`: the curvature is that of all samples, so the intervals
   * leave out its part.
   */
  curvature: 'resampled' | 'none' | 'fixed';
  /** Spearman's correlation of the layer scores of two halves of the samples; null with too few samples or layers. */
  halves: { splits: number; median: number; low: number; high: number } | null;
  /** Layers whose rank interval spans more than a third of the layers. */
  unstable: number;
  /**
   * Where more than a third of the layers are unstable: how many times as many training and validation samples would
   * leave a third at most, extrapolated (`run/influence/enoughSamples.ts`); null: 16 times as many would not, by
   * the same extrapolation.
   */
  samplesFactor?: number | null;
  /** With sums: the samples behind it, the task's subsample; absent: all. */
  of?: { train: number; validation: number };
}

/** Rows that were added until the order of a task's layers was settled (`run/influence/until.ts`). */
export interface ResultUntil {
  /** Most ranks that a rank interval may span, as a share of the layers. */
  rankInterval: number;
  /** Most training samples. */
  rows: number;
  /** Looks that there can be; the intervals' level is corrected for as many. */
  planned: number;
  /** One after the other. */
  looks: {
    /** Samples of the look. */
    train: number;
    validation: number;
    /** Layers whose rank interval spans more. */
    open: number;
  }[];
  /**
   * `settled`: at most a third of the layers are open; `rows`: the limit is reached; `split`: there are no further
   * rows; `memory`: more of them do not fit into memory or on the disk; null while rows are being added.
   */
  ended: 'settled' | 'rows' | 'split' | 'memory' | null;
}

export interface ResultTask {
  task: string;
  train: ResultSamples;
  validation: ResultSamples;
  /** Layer x module: the damping that the estimator used; null where it uses none. */
  damping: (number | null)[][];
  /** Layer x training sample: the sum over validation samples and modules. Positive = helps validation. */
  influence: number[][];
  /**
   * One entry per scored layer that is finished, in ascending order of `index`; rows of the matrices follow this order.
   */
  layers: ResultLayer[];
  /**
   * With sums: the samples, by their place in `rows`, whose Grams were made and are stored. Intervals, other estimators
   * and other dampings speak of these.
   */
  subsample?: { train: number[]; validation: number[] };
  /** Once all layers are there. */
  uncertainty?: ResultUncertainty;
  /** With `score.until`: how rows were added. */
  until?: ResultUntil;
  /** Of the estimator `tracin`: what was added up, in the order of the experiment file. */
  checkpoints?: {
    path: string;
    learningRate: number;
    sha256: string;
    /** Mean over samples, in nats per counted token. */
    trainLoss: number;
    validationLoss: number;
  }[];
}
