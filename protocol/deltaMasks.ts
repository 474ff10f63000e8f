/** Learning one mask value for the change of each linear module, by an adapter or a second checkpoint. */
import type { EncodedSample } from './samples.ts';

export interface DeltaMaskRequest {
  /** Where the changes start. */
  modelPath: string;
  /** Folder of the adapter whose factors are masked; or `tuned`. */
  adapter?: string | undefined;
  /** Checkpoint of the same architecture that the changes lead to. */
  tuned?: string | undefined;
  texts: EncodedSample[];
  weights: 'resident' | 'streamed';
  headRows: number;
  /** Padded tokens of a run. */
  tokensPerRun: number;
  steps: number;
  /** Texts of a step. */
  batch: number;
  learningRate: number;
  /** Added to the loss for each unit of gamma. */
  penalty: number;
  /** s before the first step. */
  start: number;
  seed: number;
}

export interface DeltaMaskSummary {
  /** In the order of the layers; `s` null where nothing is changed. */
  modules: { layer: number; module: string; s: number | null }[];
  /** Of the texts of each step, before it. */
  loss: Float64Array;
  /** Mean loss of all texts with none and with all of the changes. */
  ends: { none: number; all: number };
  seconds: number;
  peakMemoryBytes: number;
}
