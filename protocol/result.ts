/** The result file, `NAME.layerif-result.json`. Fields are only ever added. */
import type { EstimatorId, Experiment } from './experiment.ts';

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
    /** With the estimator `ekfac`. */
    fisher?: 'empirical' | 'true';
  };
  tasks: ResultTask[];
  provenance: Provenance;
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
}

export interface SampleRow {
  /** Path relative to the experiment file's folder, with `/`. */
  file: string;
  /** From 0, within the file. */
  row: number;
  /** From 1; null where the format has no lines (Parquet). */
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
}

export interface ResultTask {
  task: string;
  train: ResultSamples;
  validation: ResultSamples;
  /** Layer x module: the damping that the estimator used; null where it uses none. */
  damping: (number | null)[][];
  /** Layer x training sample: the sum over validation samples and modules. Positive = helps validation. */
  influence: number[][];
  /** One entry per scored layer that is finished, in ascending order of `index`; rows of the matrices follow this order. */
  layers: ResultLayer[];
}

export interface Provenance {
  layerif: string;
  onnxruntime: string;
  device: string;
  threads: number;
  /** ISO 8601, UTC. */
  date: string;
  /** Wall-clock seconds by phase. */
  seconds: Record<string, number>;
  peakMemoryBytes: number;
  dataSha256: Record<string, string>;
  seed: number;
}
