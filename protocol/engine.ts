/**
 * What crosses the IPC channel between `run` (parent) and the engine (forked child). Messages are structured-cloned
 * (`serialization: 'advanced'`), so typed arrays travel as they are. Every request carries `id`; the engine answers
 * each with exactly one `done` or `failed`, and any number of events before it.
 */
import type { DeviceState, DeviceId } from './devices.ts';
import type { GradientCheckRequest, GradientMeasurements } from './check.ts';
import type { DeltaMaskRequest, DeltaMaskSummary } from './deltaMasks.ts';
import type { ErrorCode, Place } from './errors.ts';
import type { DampingRule, EstimatorId } from './methods.ts';
import type { TrainExpertsOutcome, TrainExpertsRequest } from './experts.ts';
import type { GenerateRequest, GenerateSummary } from './generation.ts';
import type { PruneRequest, PruneSummary } from './pruning.ts';
import type { EncodedSample } from './samples.ts';
import type { AskedObservation, ObserveRequest, ObserveSummary, Tensors } from './scores.ts';
import type { TrainOutcome, TrainRequest } from './training.ts';

/** Captures are projected to `rank` numbers a side, with matrices drawn from `seed` (engine/sweep/projection.ts). */
export interface ProjectionPlan {
  rank: number;
  seed: number;
}

/**
 * Influence of all validation samples together from sums of gradients (engine/grams/linearMode.ts), in place of the
 * Grams of all samples.
 */
export interface SumsPlan {
  /** One that has a form for sums (estimators/types.ts). */
  estimator: EstimatorId;
  damping: { rule: DampingRule; factor: number };
  /** Samples whose Grams are made too, ascending; no batch mixes them with others, and theirs come first. */
  subsample: { train: number[]; validation: number[] };
  /** So many of the first training batches keep their captures in memory; the others run backward twice. */
  held: number;
}

export interface CollectPlan {
  /** Consecutive blocks per segment. */
  segmentLength: number;
  /** `resident`: every weight stays in memory as float32. `streamed`: one segment's weights at a time. */
  weights: 'resident' | 'streamed';
  /** Indices of the samples that share a run, right-padded to the longest. */
  batches: { train: number[][]; validation: number[][] };
  /** Upper bound of the float32 numbers in one tile of per-sample gradients. */
  gradientTile: number;
  /** Where activations at segment boundaries live: in memory, or in files below `workDir`. */
  boundaries: 'memory' | 'files';
  /** null: exact gradients. */
  projection: ProjectionPlan | null;
  /** Batches, as indices into `batches`, whose Grams are computed exactly too, to tell the projection's error. */
  check: { train: number[]; validation: number[] } | null;
  /** Absent: Grams of all samples. */
  sums?: SumsPlan | undefined;
  /** Counted positions per run of the head. */
  headRows: number;
  /** Seconds between two saved cotangents; 0 saves at every segment boundary. */
  checkpointSeconds: number;
}

/** What the estimator `ekfac` computes while the gradients exist. */
export interface EkfacRequest {
  /** Labels of the curvature's gradients: those of the text, or drawn from the model. */
  fisher: 'empirical' | 'true';
  /** Of the drawn labels. */
  seed: number;
  /** λ = factor, or factor times the mean eigenvalue of the weight matrix; B is computed for every factor. */
  damping: { relative: boolean; factors: number[] };
}

/** A part of a weight matrix whose Grams are made for themselves: some of its rows (outputs) or columns (inputs). */
export interface WeightBlock {
  layer: number;
  /** The scored module. */
  module: string;
  /** Of the block, such as `self_attn.q_proj.head.3`. */
  name: string;
  side: 'rows' | 'columns';
  /** first .. last - 1 */
  first: number;
  last: number;
}

/** Grams of the first `train` and `validation` samples, in a file that may hold those of more. */
export interface KnownGrams {
  file: string;
  /** What stands before `<layer>.<module>.K` in the names of its tensors. */
  prefix: string;
  train: number;
  validation: number;
}

/** Everything the engine needs to collect one task's Grams. */
export interface CollectRequest {
  modelPath: string;
  /** Absolute path of a PEFT LoRA adapter that is applied to the model. */
  adapter?: string | undefined;
  /** Of a user's ONNX graph: how its layers are called and which output holds the logits, where that is not clear. */
  graph?: { pattern?: string | undefined; output?: string | undefined } | undefined;
  /** Layers to score, ascending. */
  layers: number[];
  /** Scored module names below a layer. */
  modules: string[];
  /** Modules with blocks are replaced by them; not with a projection. */
  blocks?: WeightBlock[] | undefined;
  train: EncodedSample[];
  validation: EncodedSample[];
  plan: CollectPlan;
  ekfac?: EkfacRequest | undefined;
  /** Pairs of the first samples, whose Grams are read instead; such samples share no batch with others. */
  known?: KnownGrams | undefined;
  /** What else is made of the training samples' gradients, while they exist; not with a projection. */
  observations?: AskedObservation[] | undefined;
  /** Whether the Grams are wanted; they are by default. */
  grams?: boolean | undefined;
  /** Whether the training samples' mean gradient of each matrix is kept in `workDir`; only beside observations. */
  keepGradients?: boolean | undefined;
  /**
   * Weights are moved along the gradients that another sweep has kept: W + step g. Observations see the weights before
   * that.
   */
  moved?: { folder: string; step: number } | undefined;
  /** Folder for finished segments and the cotangent at the last boundary; what lies there is resumed. */
  workDir: string;
}

/** One sample through a user's graph, forward and backward, to learn what a run takes. */
export interface GraphProbeRequest extends Pick<CollectRequest, 'modelPath' | 'graph' | 'layers' | 'modules'> {
  /** The largest. */
  sample: EncodedSample;
}

export interface GraphProbe {
  /** Rows of x and y by layer and module name. */
  positions: Record<number, Record<string, number>>;
  /** Seconds of one sample, without making the session; and of making it. */
  seconds: { run: number; session: number };
  /** Bytes of all values inside the graph together. */
  activations: number;
}

export interface EngineInfo {
  onnxruntime: string;
  device: Exclude<DeviceId, 'auto'>;
  /** Why `auto` did not take an accelerator, or null. */
  deviceNote: string | null;
  threads: number;
  pid: number;
}

export interface CollectSummary {
  trainLoss: Float64Array;
  validationLoss: Float64Array;
  seconds: Record<string, number>;
  peakMemoryBytes: number;
  /** Segments taken over from an interrupted run. */
  resumedSegments: number;
  /** By name; without those whose finished layers an interrupted run had not observed. */
  observations: Record<string, Tensors>;
  /** Runs of ONNX Runtime sessions. */
  sessionRuns: number;
}

/**
 * A file of Grams that is complete on disk: float64 `K` (n x n), `C` (n x m), `diagV` (m) per `<layer>.<module>`, and
 * with `ekfac` also `ekfac.B` (dampings x n x m), `ekfac.damping` (dampings) and `ekfac.mean_eigenvalue` (1). With
 * `plan.sums` these are of the subsample, and beside them are `sums.influence` (n), `sums.train_squares` (n),
 * `sums.validation_squares` (m) and `sums.damping` (1, NaN without one) of all samples, and per `<layer>` in float32
 * `token_influence`, a number for every token of the training samples, one sample behind the other.
 */
export interface SegmentFile {
  layers: number[];
  file: string;
}

/** Every request of the engine: what it takes and what it answers. A method without a row does not exist. */
export interface EngineRequests {
  start: { params: { device: DeviceId; threads: number }; answer: EngineInfo };
  /** Opens a model and reads its weights before they are needed. */
  preload: { params: { modelPath: string; adapter?: string | undefined }; answer: null };
  /** Tries every device in a process of its own. */
  devices: { params: null; answer: DeviceState[] };
  /** Rate of float32 matrix products, for time estimates. */
  measure: { params: null; answer: { flopsPerSecond: number } };
  collect: { params: CollectRequest; answer: CollectSummary };
  /** What a sample of a user's graph takes. */
  graph: { params: GraphProbeRequest; answer: GraphProbe };
  /** What scores and evaluations read, in one pass of texts. */
  observe: { params: ObserveRequest; answer: ObserveSummary };
  /** Texts that go on from prompts. */
  generate: { params: GenerateRequest; answer: GenerateSummary };
  /** LoRA trainings one after the other. */
  train: { params: TrainRequest; answer: TrainOutcome[] };
  /** LoRA experts by layer, then log-likelihoods. */
  trainExperts: { params: TrainExpertsRequest; answer: TrainExpertsOutcome };
  /** Learns one mask value for the change of each linear module. */
  mask: { params: DeltaMaskRequest; answer: DeltaMaskSummary };
  prune: { params: PruneRequest; answer: PruneSummary };
  /** The weights of the checkpoint again, after a prune in memory. */
  restore: { params: { modelPath: string }; answer: null };
  /** Gradients against finite differences and each other. */
  check: { params: GradientCheckRequest; answer: GradientMeasurements };
}

export type EngineMethod = keyof EngineRequests;
export type EngineParams<M extends EngineMethod> = EngineRequests[M]['params'];
export type EngineAnswer<M extends EngineMethod> = EngineRequests[M]['answer'];

export type EngineRequest<M extends EngineMethod = EngineMethod> = {
  [One in M]: { id: number; method: One; params: EngineParams<One> };
}[M];

export type EngineEvent =
  | { id: number; type: 'progress'; phase: 'load' | 'forward' | 'backward'; done: number; total: number }
  | { id: number; type: 'losses'; train: Float64Array; validation: Float64Array }
  | { id: number; type: 'segment'; segment: SegmentFile }
  | { id: number; type: 'training'; run: string; done: number; total: number; loss?: number } // optimiser steps of the whole request
  | { id: number; type: 'trained'; outcome: TrainOutcome }
  | { id: number; type: 'evaluating'; done: number; total: number } // sequences
  | { id: number; type: 'observing'; done: number; total: number } // layers, over all groups of texts
  | { id: number; type: 'pruning'; done: number; total: number } // layers
  | { id: number; type: 'generating'; done: number; total: number } // texts
  | { id: number; type: 'tokens'; prompts: number[]; tokens: number[] } // the next token of each of these prompts
  | { id: number; type: 'checking'; done: number; total: number } // parts of the self-check
  | { id: number; type: 'log'; text: string };

/** An answer names its row, so that it reaches whoever asked by that row. */
export type EngineDone<M extends EngineMethod = EngineMethod> = {
  [One in M]: { id: number; type: 'done'; method: One; value: EngineAnswer<One> };
}[M];

export type EngineReply =
  EngineDone | { id: number; type: 'failed'; code: ErrorCode; message: string; place?: Place | undefined };

/**
 * Cancel travels outside the queue: the engine looks for it between two session runs. So do prompts that whoever asked
 * has enough of.
 */
export type EngineCancel = { id: number; method: 'cancel' };
export type EngineFinish = { id: number; method: 'finish'; prompts: number[] };
