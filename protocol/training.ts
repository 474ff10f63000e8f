/**
 * Training in the engine: LoRA factors on chosen layers, many (re)trainings in one request, losses of every sample
 * after each. Everything is deterministic given the seeds.
 */
import type { Experiment, TrainSettings } from './experiment.ts';
import type { OptimizerSettings } from './optimizer.ts';
import type { Provenance } from './provenance.ts';
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
  /** Folder in which the trained adapter is saved, as PEFT does; of matrices the file `trained.safetensors` there. */
  save: string | null;
  /**
   * Where the training is kept every so many seconds, to go on behind its last kept step, with the hash of all that
   * decides its numbers.
   */
  checkpoint?: { file: string; key: string; seconds: number } | undefined;
}

export interface TrainRequest {
  modelPath: string;
  train: EncodedSample[];
  validation: EncodedSample[];
  /** Layers and modules of `matrices` too. */
  lora: LoraSettings;
  /** What is trained: low-rank factors, or the weight matrices themselves; default factors. */
  trains?: 'factors' | 'matrices' | undefined;
  /** Mini-batches whose mean gradient makes a step; default 1. */
  accumulation?: number | undefined;
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
  /** Steps that an interrupted training had taken. */
  resumedSteps: number;
  seconds: number;
}

export const TRAINING_SUFFIX = '.layerif-training.json';

/** Mean nats per counted token of the samples, before and after. */
export interface TrainedLosses {
  before: number;
  after: number;
  /** After training, of each sample. */
  samples: number[];
}

/** `NAME.layerif-training.json`: what `layerif train` writes beside the trained weights. Fields are only ever added. */
export interface TrainingResult {
  format: 'layerif-training';
  version: 1;
  status: 'partial' | 'complete';
  experiment: Experiment;
  experimentFile: string;
  task: string;
  model: { name: string; family: string; layers: number; sha256: string };
  settings: TrainSettings;
  /** Layers and modules that were trained, and their numbers: of the factors, or of the matrices. */
  trained: { layers: number[]; modules: string[]; parameters: number };
  samples: { train: number; validation: number; tokens: number; counted: number };
  train: TrainedLosses | null;
  validation: TrainedLosses | null;
  /** Mean loss of each step's samples before the step, and its learning rate. */
  curve: number[];
  learningRates: number[];
  /** Norm of the last step's gradient; null where it is not known, as after a resumption at the end. */
  gradientNorm: number | null;
  /** Folder of the PEFT adapter or the model, relative to this file. */
  output: string;
  provenance: Provenance<number>;
}
