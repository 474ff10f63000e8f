/**
 * An experiment file with its model, opened: the one way in which every verb comes to model, tokenizer and datasets.
 * First the file is read and what the verb refuses in it is refused; then the model is downloaded if it has to be, and
 * opened. Datasets follow where they are asked for, the tokenizer when it is first read.
 */
import path from 'node:path';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { createTokenizer } from '../../data/tokenizer.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { bindChat } from './chat.ts';
import { fetchDatasets, fetchModel } from './hubInputs.ts';
import type { FetchOptions } from './hubInputs.ts';
import { modelNotes, tokenWarnings } from './modelNotes.ts';
import { openModel } from './openModel.ts';
import type { NamedModel, OpenedModel } from './openModel.ts';
import type { Verb } from './refusals.ts';
import { requireSupported } from './supported.ts';

export interface ExperimentFile {
  /** Absolute. */
  file: string;
  /** The experiment's folder: relative paths start here. */
  baseDir: string;
  experiment: Experiment;
}

export interface OpenExperimentOptions {
  /** How hub ids that the cache lacks are downloaded; null: not at all. */
  fetching?: FetchOptions | null;
  /** In place of the experiment's. */
  model?: NamedModel | undefined;
  /** Where paths of the model start; default: the experiment's folder. */
  modelDir?: string | undefined;
  /** Whether a user's ONNX graph may be the model; it may by default. */
  graphs?: boolean;
}

/**
 * @param change what was asked for beside the file
 * @throws LayerifError `badExperiment`; `badRequest` of `change`
 */
export function readExperiment(
  file: string,
  verb: Verb,
  change: (experiment: Experiment, file: string) => Experiment = (experiment) => experiment,
): ExperimentFile {
  const absolute = path.resolve(file);
  return experimentFor(change(loadExperiment(absolute), absolute), absolute, verb);
}

/**
 * The same of an experiment that is read already.
 * @param file absolute
 * @throws LayerifError `badExperiment`
 */
export function experimentFor(experiment: Experiment, file: string, verb: Verb): ExperimentFile {
  requireSupported(experiment, file, verb);
  return { file, baseDir: path.dirname(file), experiment };
}

/** @throws LayerifError `badModel`; of the hub */
export async function openExperiment(
  read: ExperimentFile,
  options: OpenExperimentOptions = {},
): Promise<OpenExperiment> {
  const { fetching = {}, model = read.experiment.model, modelDir = read.baseDir } = options;
  if (fetching) await fetchModel(model, modelDir, fetching);
  const opened = openAtHand(read, options);
  if (fetching?.onWarning) for (const sentence of opened.warnings) fetching.onWarning(sentence);
  return opened;
}

/** Without a download of the model. @throws LayerifError `badModel` */
export function openAtHand(read: ExperimentFile, options: OpenExperimentOptions = {}): OpenExperiment {
  const { fetching = {}, model = read.experiment.model, modelDir = read.baseDir, graphs = true } = options;
  return new OpenExperiment(read, openModel(model, modelDir, graphs), fetching);
}

/** Of a model without an experiment too. @throws LayerifError `badModel` where it has none */
export function tokenizerOf(checkpoint: Checkpoint): TextTokenizer {
  return createTokenizer({ ...checkpoint.tokenizer(), source: checkpoint.path });
}

export class OpenExperiment implements ExperimentFile, OpenedModel {
  readonly file: string;
  readonly baseDir: string;
  readonly experiment: Experiment;
  readonly checkpoint: Checkpoint;
  readonly model: Architecture;
  /** Null for a checkpoint. */
  readonly graph: OpenedGraph | null;
  readonly #fetching: FetchOptions | null;
  #tokenizer: TextTokenizer | null = null;

  constructor(
    { file, baseDir, experiment }: ExperimentFile,
    { checkpoint, model, graph }: OpenedModel,
    fetching: FetchOptions | null,
  ) {
    this.file = file;
    this.baseDir = baseDir;
    this.experiment = experiment;
    this.checkpoint = checkpoint;
    this.model = model;
    this.graph = graph;
    this.#fetching = fetching;
    for (const task of experiment.tasks) bindChat(task, checkpoint);
  }

  /** Of the model. @throws LayerifError `badModel` where it has none */
  get tokenizer(): TextTokenizer {
    return (this.#tokenizer ??= tokenizerOf(this.checkpoint));
  }

  /** What a user should know of model and tokenizer, in sentences. */
  get warnings(): string[] {
    return [
      ...modelNotes(this.checkpoint, this.model),
      ...tokenWarnings(this.checkpoint, () => this.tokenizer.warnings),
    ];
  }

  /** Another model that the experiment names, such as a second one. @throws LayerifError `badModel`; of the hub */
  async openOther(path: string): Promise<OpenedModel> {
    if (this.#fetching) await fetchModel({ path }, this.baseDir, this.#fetching);
    return openModel({ path }, this.baseDir);
  }

  /** Downloads what is missing of these datasets. @param names keys of `datasets`; undefined ones are left out */
  async fetchDatasets(names: readonly (string | undefined)[]): Promise<void> {
    const known = names.filter((name) => name !== undefined);
    if (this.#fetching) await fetchDatasets(this.experiment, known, this.baseDir, this.#fetching);
  }

  close(): void {
    this.checkpoint.close();
  }
}
