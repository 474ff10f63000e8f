/** What crosses between `run` and the engine for evaluations, and the file that an evaluation writes. */
import type { Provenance } from './provenance.ts';

export const EVALUATION_SUFFIX = '.layerif-evaluation.json';

/** Log-likelihoods of sequences. */
export interface EvaluateSummary {
  /** Per sequence: sum of the log-probabilities of its counted tokens, in nats. */
  logLikelihood: Float64Array;
  /** Per sequence: 1 where every counted token is the most probable one. */
  greedy: Uint8Array;
  /** Per sequence: number of counted tokens. */
  counted: Int32Array;
}

/** A number with the standard error that lm-evaluation-harness gives; null where it gives none. */
export interface Measure {
  value: number;
  standardError: number | null;
  higherIsBetter: boolean;
}

export interface EvaluatedSample {
  /** Position in the evaluated slice. */
  doc_id: number;
  file: string;
  row: number;
  /** Index of the right candidate. */
  target: number;
  candidates: { context: string; continuation: string; logLikelihood: number; greedy: boolean; tokens: number }[];
  /** What the model wrote, and what each filter of the task made of it. */
  generated?: { context: string; answers: string[]; filtered: Record<string, string | string[]>; targets: string[] };
  /** Metric -> what this document contributes. */
  metrics: Record<string, number>;
}

/**
 * `NAME.layerif-evaluation.json`, in the shape of lm-evaluation-harness (`results`, `versions`, `n-shot`, `n-samples`,
 * `configs`, `samples`), with our own keys beside. Fields are only ever added.
 */
export interface Evaluation {
  format: 'layerif-evaluation';
  version: 1;
  /**
   * Task -> `<metric>,<filter>` and `<metric>_stderr,<filter>`; the filter is `none` but for answers that the model
   * writes.
   */
  results: Record<string, Record<string, number | string>>;
  versions: Record<string, number>;
  'n-shot': Record<string, number>;
  'n-samples': Record<string, { original: number; effective: number }>;
  higher_is_better: Record<string, Record<string, boolean>>;
  configs: Record<string, unknown>;
  /** Tasks, or metrics of them (null: the whole task), that could not be computed, and why. */
  skipped?: { task: string; metric: string | null; reason: string }[];
  samples?: Record<string, EvaluatedSample[]>;
  model: { name: string; family: string; sha256: string };
  experimentFile: string;
  provenance: Provenance;
}
