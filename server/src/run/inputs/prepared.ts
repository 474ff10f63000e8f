/** An experiment that is ready to run: what `prepare` makes and every verb takes. */
import type { WeightBlock } from '../../../../protocol/engine.ts';
import type { Experiment, LabelNoise, Task } from '../../../../protocol/experiment.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { Sides } from '../../data/furtherRows.ts';
import type { Sample } from '../../data/types.ts';
import type { Estimator } from '../../estimators/types.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import type { OpenExperiment } from './openExperiment.ts';
import type { Scope } from './scope.ts';
import type { TracinCheckpoint } from './trainingCheckpoints.ts';

export interface PreparedTask {
  task: Task;
  train: Sample[];
  validation: Sample[];
  /** How many of the first samples of each split a finished run has Grams of. */
  known?: { train: number; validation: number } | undefined;
}

export interface Prepared {
  file: string;
  /** The experiment's folder: relative paths start here. */
  baseDir: string;
  experiment: Experiment;
  /** What it was made from; its tokenizer and its datasets. */
  opened: OpenExperiment;
  checkpoint: Checkpoint;
  model: Architecture;
  /** A user's ONNX graph; null or absent for a checkpoint. */
  graph?: OpenedGraph | null;
  scope: Scope;
  /** With `score.granularity: head`: parts of the attention matrices. */
  blocks?: WeightBlock[] | undefined;
  /** With the estimator `tracin`: what is added up. */
  checkpoints?: TracinCheckpoint[] | undefined;
  estimator: Estimator;
  tasks: PreparedTask[];
  /** Path relative to the experiment's folder -> hex SHA-256. */
  dataSha256: Record<string, string>;
  /** What the result says of the model's files too (modelNotes.ts). */
  notes: string[];
  warnings: string[];
}

export interface Selection {
  /** Only these tasks. */
  tasks?: string[] | undefined;
  /** Only tasks over this dataset. */
  dataset?: string | undefined;
  /** Rows that tasks have beside those of their slices, by the task's name. */
  further?: Readonly<Record<string, Sides>> | undefined;
  /** Training labels that are changed on purpose. */
  labelNoise?: LabelNoise | undefined;
}
