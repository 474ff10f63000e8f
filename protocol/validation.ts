/**
 * Validation of influence by retraining: settings of the experiment's section `validate`, and the file
 * `NAME.layerif-validation.json`.
 */
import type { Experiment, ValidateSettings, ProtocolId } from './experiment.ts';
import type { Provenance } from './provenance.ts';

export const VALIDATION_SUFFIX = '.layerif-validation.json';

/** One predictor's agreement with the truth. */
export interface AgreementRow {
  /** Estimator, or a control: random, uniform, length, bm25, similarity, loss. */
  predictor: string;
  point: string | null;
  control: boolean;
  /** Null where it is not defined: all predictions are equal. */
  value: number | null;
  /**
   * 95 % for this row alone, over other subsets or training samples and other validation samples (jackknife and
   * halves); it holds the value.
   */
  interval: [number, number] | null;
  /**
   * The difference to gradient dot at the same point, paired; 95 % intervals that hold for all estimators of the
   * measure at once.
   */
  overDot: { difference: number; interval: [number, number] | null } | null;
  /** Estimators: the same for each control without gradients. */
  overControls?: { control: string; difference: number; interval: [number, number] | null }[];
  /** Rows with gradients: how often the best of as many predictors that know nothing does as well (random orders). */
  p?: number;
}

export interface Measure {
  /** Such as "LDS" or "AUC by self-influence". */
  name: string;
  /** What the number would be by chance. */
  chance: number;
  rows: AgreementRow[];
}

/** A way to train that is compared with a baseline, or stands beside it. */
export interface ComparedWay {
  /** Score, mask or level by which was chosen. */
  way: string;
  control: boolean;
  value: number;
  /** This way less the baseline; null for what only stands beside. */
  difference: number | null;
  /** 95 % for all compared ways of the table together; null where one training cannot tell. */
  interval: [number, number] | null;
  /** Selection: how often a random choice lies as far on this side of the random ones; else of a paired t-test. */
  p: number | null;
}

/** Ways to train, by what they end with. */
export interface Comparison {
  /** What is measured, with its unit. */
  name: string;
  better: 'lower' | 'higher';
  baseline: string;
  ways: ComparedWay[];
}

export interface ProtocolResult {
  protocol: ProtocolId;
  title: string;
  /** What was done, with numbers. */
  how: string;
  measures: Measure[];
  /** Of the protocols selection, forgetting and mastery. */
  comparisons?: Comparison[];
  /** Share of flipped labels found among the most suspicious share of samples, per predictor. */
  recall?: { shares: number[]; rows: { predictor: string; point: string | null; by: string; recall: number[] }[] };
  /** Predicted and true changes, for a chart. */
  points?: { name: string; predictor: string; point: string | null; predicted: number[]; true: number[] }[];
  /** What follows, in words. */
  verdict: string[];
  seconds: number;
}

export interface ValidationResult {
  format: 'layerif-validation';
  version: 1;
  status: 'partial' | 'complete';
  experiment: Experiment;
  experimentFile: string;
  task: string;
  model: { name: string; family: string; layers: number; sha256: string };
  settings: ValidateSettings;
  layers: number[];
  modules: string[];
  samples: { train: number; validation: number };
  protocols: ProtocolResult[];
  /** Protocols that could not be run, with the reason. */
  skipped: { protocol: ProtocolId; reason: string }[];
  provenance: Provenance & { retrainings: number };
}
