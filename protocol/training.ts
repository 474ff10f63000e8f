/**
 * Training in the engine: LoRA factors on chosen layers, many (re)trainings in one request, losses of every sample after each.
 * Everything is deterministic given the seeds.
 */
import type { OptimizerSettings } from './optimizer.ts';
import type { EncodedSample } from './samples.ts';

export interface LoraSettings {
  rank: number;
  /** The low-rank term is scaled with alpha / rank. */
  alpha: number;
  /** Ascending. */
  layers: number[];
  /** Module names below a layer. */
  modules: string[];
}

/** One training. A run may start from an adapter that an earlier run of the same request saves. */
export interface TrainRun {
  /** Names the run in events; unique in a request. */
  id: string;
  /** Of the initial factors (without `start`) and of the order of mini-batches. */
  seed: number;
  /** Indices of the training samples that are used; the others are left out of their mini-batches. */
  samples: number[];
  /** Folder of a PEFT adapter with the same factors; null draws new ones. */
  start: string | null;
  /** Optimiser steps; 0 only measures losses. */
  steps: number;
  /** Folder in which the trained adapter is saved, as PEFT does. */
  save: string | null;
}

export interface TrainRequest {
  modelPath: string;
  train: EncodedSample[];
  validation: EncodedSample[];
  lora: LoraSettings;
  optimizer: OptimizerSettings;
  /** Samples of a step; as many as there are or more: full-batch. */
  batchSize: number;
  /** Padded tokens that share a run of the graph; a step adds up the gradients of its runs. */
  tokensPerRun: number;
  /** Consecutive blocks whose gradients are made in one graph. */
  segmentLength: number;
  weights: 'resident' | 'streamed';
  runs: TrainRun[];
}

export interface TrainOutcome {
  id: string;
  /** Mean nats per counted token after training, of every training sample (used or not) and validation sample. */
  trainLoss: Float64Array;
  validationLoss: Float64Array;
  /** Mean loss of each step's batch before the step. */
  curve: Float64Array;
  /** Norm of the gradient of the mean loss of the last step's batch, before that step; NaN without steps. */
  gradientNorm: number;
  seconds: number;
}
