/**
 * LoRA experts by layer (LoRA-MoE): what is asked of the engine, the section `train_experts`, and the file that is
 * written.
 */
import type { EvaluateSummary } from './evaluation.ts';
import type { Experiment, TrainExpertsSettings } from './experiment.ts';
import type { OptimizerSettings } from './optimizer.ts';
import type { Provenance } from './provenance.ts';
import type { EncodedSample } from './samples.ts';

export const EXPERTS_SUFFIX = '.layerif-experts.json';

export interface ExpertSettings {
  /** Experts of each layer of the model; 0: none. */
  experts: number[];
  /** Experts per token in each layer, at most as many as there are. */
  topK: number[];
  /** Of every expert. */
  rank: number;
  /** An expert's output is scaled with alpha / rank. */
  alpha: number;
  /** Names below a layer. */
  modules: string[];
}

/** One training, and the log-likelihoods of texts behind it. */
export interface TrainExpertsRequest {
  modelPath: string;
  train: EncodedSample[];
  experts: ExpertSettings;
  optimizer: OptimizerSettings;
  steps: number;
  /** Samples of a step. */
  batchSize: number;
  /** Of the initial weights and of the order of mini-batches. */
  seed: number;
  /** What the routers' balance losses, summed over all routers, are multiplied with. */
  balance: number;
  /** Padded tokens of one run of the graph. */
  tokensPerRun: number;
  weights: 'resident' | 'streamed';
  /** Folder for the trained experts. */
  save: string | null;
  /** As in EvaluateRequest. */
  sequences: EncodedSample[];
  groups: number[][][];
  headRows: number;
}

export interface TrainExpertsOutcome {
  /** Mean loss of each step's batch before the step, in nats per counted token. */
  curve: Float64Array;
  /** Mean balance loss over the routers at each step; 1 is even. */
  balance: Float64Array;
  /** Trained numbers. */
  parameters: number;
  evaluation: EvaluateSummary;
  seconds: number;
}

export interface ExpertsTraining {
  seed: number;
  curve: number[];
  balance: number[];
  /** Mean over the documents. */
  metrics: Record<string, number>;
  /** Folder with the trained experts, relative to the file. */
  adapter: string;
  seconds: number;
}

/** This allocation less the first one, on the same documents and with the same seeds. */
export interface ExpertsDifference {
  difference: number;
  /** 95 % over documents, of the mean over the seeds; null for one document. */
  interval: [number, number] | null;
  /** Sign-flip test over documents, two-sided. */
  p: number;
  /** Standard error over the seeds, of the difference between trainings of the same seed; null with one seed. */
  standardError: number | null;
}

export interface ExpertsMetric {
  metric: string;
  higherIsBetter: boolean;
  /** Over seeds. */
  mean: number;
  /** Standard deviation over the seeds / sqrt(seeds); null with one seed. */
  standardError: number | null;
  /** One per seed. */
  values: number[];
  /** Null for the first allocation. */
  againstFirst: ExpertsDifference | null;
}

export interface ComparedExperts {
  id: string;
  title: string;
  experts: number[];
  topK: number[];
  total: number;
  /** Trained numbers; null until a training has finished. */
  parameters: number | null;
  notes: string[];
  trainings: ExpertsTraining[];
  metrics: ExpertsMetric[];
}

/** `NAME.layerif-experts.json`. Fields are only ever added. */
export interface ExpertsResult {
  format: 'layerif-experts';
  version: 1;
  status: 'partial' | 'complete';
  experiment: Experiment;
  experimentFile: string;
  task: string;
  model: { name: string; family: string; layers: number; sha256: string };
  settings: TrainExpertsSettings;
  /** Modules below a layer that have experts. */
  modules: string[];
  samples: { train: number; tokens: number; evaluated: number; split: string };
  /** Whose scores the rules read; null where none does. */
  scores: string | null;
  /** Of the model without experts. */
  untrained: Record<string, number>;
  allocations: ComparedExperts[];
  findings: string[];
  /** Its seconds are those of all trainings together, those before an interruption too. */
  provenance: Provenance;
}
