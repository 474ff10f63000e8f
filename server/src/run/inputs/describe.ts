/**
 * What lies on disk, for an editor that asks after every keystroke: opened datasets and inspected models are remembered
 * for as long as their files keep size and time.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Dataset, Experiment, Task } from '../../../../protocol/experiment.ts';
import { partName } from '../../checkpoints/ggufSplit.ts';
import { findCachedModel } from '../../checkpoints/hubModel.ts';
import type { OpenOptions } from '../../checkpoints/openCheckpoint.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { isHubId } from '../../hub/cache.ts';
import { dataEndings } from '../../data/formats.ts';
import { datasetFiles } from '../../data/inputFiles.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { countSlice, defaultValidation, openDataset } from '../../data/splits.ts';
import { inspectModel } from './inspect.ts';
import type { Adapted, Inspection } from './inspect.ts';
import { modelNotes } from './modelNotes.ts';
import { openOptions, resolveModel } from './modelPath.ts';
import { tokenizerOf } from './openExperiment.ts';
import { graphOptions, openModel } from './openModel.ts';
import { namedUnread, scopeOf, unreadInLayers } from './scope.ts';

/** Enough for the experiments that are open at once. */
const REMEMBERED = 64;

/** Endings of files that datasets are made of, with the dot. */
export const dataFileEndings: readonly string[] = dataEndings;

class Remembered<T> {
  readonly #entries = new Map<string, { stamp: string; value: Promise<T> }>();
  readonly #most: number;

  constructor(most = REMEMBERED) {
    this.#most = most;
  }

  get(key: string, stamp: string, make: () => T | Promise<T>): Promise<T> {
    const known = this.#entries.get(key);
    if (known?.stamp === stamp) return known.value;
    // A synchronous failure becomes a rejection too.
    const value = Promise.resolve().then(make);
    this.#entries.delete(key);
    this.#entries.set(key, { stamp, value });
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value!);
    // What failed is tried again.
    value.catch(() => this.#entries.delete(key));
    return value;
  }
}

const datasets = new Remembered<OpenDataset>();
const models = new Remembered<Inspection>();
const tried = new Remembered<Tried>();
/** A vocabulary takes tens of megabytes. */
const tokenizers = new Remembered<TextTokenizer>(2);

/** @throws LayerifError `badData` */
export async function openKnownDataset(name: string, dataset: Dataset, baseDir: string): Promise<OpenDataset> {
  const files = dataset.arrays
    ? Object.values(dataset.arrays).map((file) => path.resolve(baseDir, file))
    : [...(await datasetFiles(name, dataset, baseDir)).values()].flat().map((file) => file.path);
  return datasets.get(JSON.stringify([name, dataset, baseDir]), stampOf(files), () =>
    openDataset(name, dataset, baseDir),
  );
}

export interface DatasetDescription {
  /** Absolute paths. */
  files: string[];
  /** With the new names of `field_mapping`. */
  columns: string[];
  /** Split -> rows. */
  splits: Record<string, number>;
  rows: number;
}

/** @throws LayerifError `badData` */
export async function describeDataset(name: string, dataset: Dataset, baseDir: string): Promise<DatasetDescription> {
  const opened = await openKnownDataset(name, dataset, baseDir);
  const splits: Record<string, number> = {};
  for (const split of opened.splits) splits[split] = await opened.count(split);
  const rows = Object.values(splits).reduce((sum, count) => sum + count, 0);
  return { files: opened.files, columns: opened.columns, splits, rows };
}

/** Rows of a task's training and validation slices. @throws LayerifError `badData` */
export async function countTaskRows(
  task: Task,
  dataset: Dataset,
  baseDir: string,
): Promise<{ train: number; validation: number }> {
  const opened = await openKnownDataset(task.dataset, dataset, baseDir);
  const validation = task.validation_split ?? (await defaultValidation(opened, task.training_split));
  return { train: await countSlice(opened, task.training_split), validation: await countSlice(opened, validation) };
}

/** @throws LayerifError `badModel` */
export async function describeModel(modelPath: string, baseDir: string, adapted: Adapted = {}): Promise<Inspection> {
  const resolved = resolveModel(modelPath, baseDir);
  const options = openOptions(adapted, baseDir);
  return models.get(
    JSON.stringify([resolved, options, adapted.params, adapted.graph]),
    modelStamp(resolved, options),
    () => Promise.resolve(inspectModel(modelPath, baseDir, adapted)),
  );
}

/** Not for a model that is not here. @throws LayerifError `badModel` */
export async function knownTokenizer(model: Experiment['model'], baseDir: string): Promise<TextTokenizer> {
  const resolved = resolveModel(model.path, baseDir);
  const options = openOptions(model, baseDir);
  return tokenizers.get(JSON.stringify([resolved, options]), modelStamp(resolved, options), () => {
    const { checkpoint } = openModel(model, baseDir);
    try {
      return tokenizerOf(checkpoint);
    } finally {
      checkpoint.close();
    }
  });
}

/** What a check says of a model that can be opened. */
export interface Tried {
  /** Tensors that no part of it reads. */
  notRead: string[];
  notes: string[];
}

/**
 * Opens the model, its tokenizer and what of it is scored, and closes it again.
 * @throws LayerifError `badModel`; `badExperiment` for layers or modules that it does not have
 */
export async function tryModel({ model, score }: Pick<Experiment, 'model' | 'score'>, baseDir: string): Promise<Tried> {
  const resolved = resolveModel(model.path, baseDir);
  const options = openOptions(model, baseDir);
  const key = JSON.stringify([resolved, options, graphOptions(model), score.layers, score.modules, score.params]);
  return tried.get(key, modelStamp(resolved, options), () => {
    const { checkpoint, model: opened, graph } = openModel(model, baseDir);
    try {
      scopeOf(checkpoint, opened, score);
      if (graph?.tokens !== false) checkpoint.tokenizer();
      // The notes name those of layers.
      const inLayers = new Set(unreadInLayers(checkpoint, opened));
      return {
        notRead: namedUnread(checkpoint, opened)
          .map(({ name }) => name)
          .filter((name) => !inLayers.has(name)),
        notes: modelNotes(checkpoint, opened),
      };
    } finally {
      checkpoint.close();
    }
  });
}

/** Changes when any file of the checkpoint or its adapter does. */
function modelStamp(resolved: string, { adapter, revision }: OpenOptions): string {
  const inside = (folder: string) => fs.readdirSync(folder).map((name) => path.join(folder, name));
  const filesOf = (target: string): string[] => {
    const stat = fs.statSync(target, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return inside(target);
    return partName(target) === null
      ? [target]
      : inside(path.dirname(target)).filter((file) => partName(file) !== null);
  };
  const cached = isHubId(resolved) ? findCachedModel(resolved, revision) : null;
  if (cached) resolved = cached.target;
  return stampOf([resolved, ...(adapter === undefined ? [] : [adapter])].flatMap(filesOf));
}

function stampOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    hash.update(`${file}\0${stat?.size}\0${stat?.mtimeMs}\0${stat?.ctimeMs}\n`);
  }
  return hash.digest('hex');
}
