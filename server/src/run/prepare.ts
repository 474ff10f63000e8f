/** Everything a run needs to know before it starts: experiment, model, scope and every task's samples. */
import path from 'node:path';
import type { WeightBlock } from '../../../protocol/engine.ts';
import type { Experiment, Task } from '../../../protocol/experiment.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { hashFiles } from '../checkpoints/hashFiles.ts';
import type { Checkpoint } from '../checkpoints/types.ts';
import { loadExperiment } from '../config/experiment.ts';
import { loadTask } from '../data/loadTask.ts';
import { createTokenizer } from '../data/tokenizer.ts';
import type { Sample } from '../data/types.ts';
import { findEstimator, requireTrainSamples } from '../estimators/estimators.ts';
import type { Estimator } from '../estimators/types.ts';
import type { OpenedGraph } from '../graphs/open.ts';
import type { Architecture } from '../models/types.ts';
import { fetchDatasets, fetchModel } from './hubInputs.ts';
import type { FetchOptions } from './hubInputs.ts';
import { openCheckpoints } from './checkpoints.ts';
import type { TracinCheckpoint } from './checkpoints.ts';
import { headBlocks } from './heads.ts';
import { openOptions, resolveModel } from './inspect.ts';
import { graphInputs, graphOptions, openModel } from './openModel.ts';
import { requirePositions, scopeOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { requireSupported } from './supported.ts';

export interface PreparedTask {
  task: Task;
  train: Sample[];
  validation: Sample[];
}

export interface Prepared {
  file: string;
  /** The experiment's folder: relative paths start here. */
  baseDir: string;
  experiment: Experiment;
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
  warnings: string[];
}

export interface Selection {
  /** Only these tasks. */
  tasks?: string[] | undefined;
  /** Only tasks over this dataset. */
  dataset?: string | undefined;
}

/**
 * @param fetching how hub ids that the cache lacks are downloaded
 * @param onModel called as soon as the model is known to fit the experiment, before the data are read
 * @throws LayerifError: `badExperiment`, `badModel` or `badData` with the place
 */
export async function prepare(
  file: string,
  selection: Selection = {},
  onModel: (checkpoint: Checkpoint, model: Architecture) => void = () => undefined,
  fetching: FetchOptions = {},
): Promise<Prepared> {
  const absolute = path.resolve(file);
  const baseDir = path.dirname(absolute);
  const experiment = select(loadExperiment(absolute), selection, absolute);
  requireSupported(experiment, absolute);
  const estimator = findEstimator(experiment.score.estimator);

  await fetchModel(experiment.model, baseDir, fetching);
  const { checkpoint, model, graph } = openModel(
    resolveModel(experiment.model.path, baseDir),
    openOptions(experiment.model, baseDir),
    graphOptions(experiment.model),
  );
  const scope = scopeOf(checkpoint, model, experiment.score);
  const blocks = headBlocks({ experiment, model, scope });
  const checkpoints = await openCheckpoints(experiment, baseDir, { checkpoint, model, scope, graph });
  const tokenizer = graph?.tokens === false ? null : createTokenizer(checkpoint.tokenizer());
  if (!graph) onModel(checkpoint, model);

  await fetchDatasets(experiment, experiment.tasks.map((task) => task.dataset), baseDir, fetching); // prettier-ignore
  const tasks: PreparedTask[] = [];
  const files = new Set<string>();
  const warnings: string[] = [];
  for (const task of experiment.tasks) {
    const loaded = await loadTask({
      task,
      datasets: experiment.datasets,
      baseDir,
      maxLength: experiment.model.max_length,
      loss: experiment.score.loss,
      tokenizer,
      graph: graphInputs(graph),
    });
    requireTrainSamples(estimator, loaded.train.length, task.task);
    requirePositions(model, [...loaded.train, ...loaded.validation], task.task);
    for (const name of loaded.files) files.add(name);
    warnings.push(...loaded.warnings);
    tasks.push({ task, train: loaded.train, validation: loaded.validation });
  }
  const hashes = await hashFiles([...files]);
  const dataSha256 = Object.fromEntries([...files].map((name, i) => [relativeTo(baseDir, name), hashes[i]]));
  return {
    file: absolute,
    baseDir,
    experiment,
    checkpoint,
    model,
    graph,
    scope,
    blocks,
    checkpoints,
    estimator,
    tasks,
    dataSha256,
    warnings: [...new Set(warnings)],
  };
}

/** With `/` on every platform, so that results compare across machines. */
export function relativeTo(baseDir: string, file: string): string {
  return path.relative(baseDir, file).split(path.sep).join('/');
}

function select(experiment: Experiment, { tasks, dataset }: Selection, file: string): Experiment {
  const known = experiment.tasks.map((t) => t.task);
  const missing = (tasks ?? []).filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new LayerifError(
      'badRequest',
      `${file} has no task "${missing.join('", "')}"; its tasks are ${known.join(', ')}`,
    );
  }
  const chosen = experiment.tasks.filter(
    (t) => (!tasks || tasks.length === 0 || tasks.includes(t.task)) && (dataset === undefined || t.dataset === dataset),
  );
  if (chosen.length === 0) {
    throw new LayerifError('badRequest', `no task of ${file} uses dataset "${dataset}"`);
  }
  return { ...experiment, tasks: chosen };
}
