/** The self-check of gradients (`layerif check FILE --gradients`): what the engine measures and what a user is told. */
import type { EncodedSample } from './samples.ts';

export interface GradientCheckRequest {
  modelPath: string;
  adapter?: string | undefined;
  /** A few samples, of different lengths where there are such. */
  samples: EncodedSample[];
  /** Layers whose gradients are compared, ascending. */
  layers: number[];
  modules: string[];
  weights: 'resident' | 'streamed';
  /** Of the random direction. */
  seed: number;
}

/** ‖a − b‖ / ‖b‖; `layer` is the worst one, null for losses. */
export interface Difference {
  grams: number;
  layer: number;
  loss: number;
}

/** One finite difference against the gradient. */
export interface Derivative {
  layer: number;
  /** Distance moved, as a share of the norm of the layer's scored weights. */
  step: number;
  /** (L(W + εU) − L(W − εU)) / 2ε and <gradient, U>. */
  difference: number;
  gradient: number;
  /**
   * |difference − gradient| as a share of the larger of |gradient| and what a random direction of this length gives on
   * average.
   */
  error: number;
}

export interface GradientMeasurements {
  /**
   * Each sample padded, all samples together, the same in other batches: against each sample alone. Null where the
   * model never pads.
   */
  padded: Difference | null;
  batched: Difference | null;
  regrouped: Difference | null;
  /** Best step of each layer. */
  alongGradient: Derivative[];
  alongRandom: Derivative[];
  /** All weights rounded to bfloat16; null where they are stored no finer. */
  bfloat16: Difference | null;
  /** Stored types of the scored matrices. */
  dtypes: string[];
}

export interface GradientCheckRow {
  id: 'padded' | 'batched' | 'regrouped' | 'along_gradient' | 'along_random' | 'bfloat16';
  title: string;
  /** Null where the check does not apply. */
  value: number | null;
  /** Null for what is only stated. */
  limit: number | null;
  passed: boolean | null;
  /** What it means, in one sentence. */
  sentence: string;
}

export interface GradientCheckReport {
  format: 'layerif-gradient-check';
  version: 1;
  file: string;
  model: string;
  device: string;
  task: string;
  samples: number;
  tokens: number;
  layers: number[];
  checks: GradientCheckRow[];
  /** Whether no check failed. */
  passed: boolean;
  seconds: number;
}
