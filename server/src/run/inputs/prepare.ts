/** Everything a run needs to know before it starts: experiment, model, scope and every task's samples. */
import { sideWords } from '../../../../protocol/samples.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { loadTask } from '../../data/loadTask.ts';
import { findEstimator, requireTrainSamples } from '../../estimators/estimators.ts';
import type { Architecture } from '../../models/types.ts';
import { dataHashes } from '../files/provenance.ts';
import type { FetchOptions } from './hubInputs.ts';
import { openCheckpoints } from './trainingCheckpoints.ts';
import { headBlocks } from './units.ts';
import { modelNotes } from './modelNotes.ts';
import { openExperiment, readExperiment } from './openExperiment.ts';
import type { ExperimentFile } from './openExperiment.ts';
import { graphInputs } from './openModel.ts';
import { modelRefusals } from './modelRefusals.ts';
import { requireNone } from './refusals.ts';
import type { Prepared, PreparedTask, Selection } from './prepared.ts';
import { limitsOf, requireTexts } from './sampleRefusals.ts';
import { scopeOf } from './scope.ts';

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
  const read = readExperiment(file, 'score', (experiment, absolute) => select(experiment, selection, absolute));
  return preparedOf(read, fetching, onModel, selection.further);
}

/**
 * The same of an experiment that is read already.
 * @param fetching null: what has to be downloaded is missing
 */
export async function preparedOf(
  read: ExperimentFile,
  fetching: FetchOptions | null,
  onModel: (checkpoint: Checkpoint, model: Architecture) => void = () => undefined,
  further: Selection['further'] = {},
): Promise<Prepared> {
  const { file: absolute, baseDir, experiment } = read;
  const estimator = findEstimator(experiment.score.estimator);
  const opened = await openExperiment(read, { fetching });
  const { checkpoint, model, graph } = opened;
  const scope = scopeOf(checkpoint, model, experiment.score);
  requireNone(modelRefusals, { model, graph, experiment }, 'score', absolute);
  const blocks = headBlocks({ experiment, model, scope });
  const checkpoints = await openCheckpoints(experiment, baseDir, { checkpoint, model, scope, graph });
  const tokenizer = graph?.tokens === false ? null : opened.tokenizer;
  if (!graph) onModel(checkpoint, model);

  await opened.fetchDatasets(experiment.tasks.map((task) => task.dataset));
  const limits = limitsOf(model, graph);
  const tasks: PreparedTask[] = [];
  const files = new Set<string>();
  const notes = modelNotes(checkpoint, model);
  const warnings = [...notes, ...(tokenizer?.warnings ?? [])];
  for (const task of experiment.tasks) {
    const loaded = await loadTask({
      task,
      datasets: experiment.datasets,
      baseDir,
      maxLength: experiment.model.max_length,
      loss: experiment.score.loss,
      tokenizer,
      graph: graphInputs(opened),
      further: further[task.task],
    });
    requireTrainSamples(estimator, loaded.train.length, task.task);
    for (const side of ['train', 'validation'] as const) {
      const what = `${sideWords[side]} sample`;
      requireTexts({ what, task: task.task, texts: loaded[side], tokenizer, ...limits }, 'score');
    }
    for (const name of loaded.files) files.add(name);
    warnings.push(...loaded.textWarnings, ...loaded.warnings);
    tasks.push({ task, train: loaded.train, validation: loaded.validation });
  }
  const dataSha256 = await dataHashes(files, baseDir);
  return {
    file: absolute,
    baseDir,
    experiment,
    opened,
    checkpoint,
    model,
    graph,
    scope,
    blocks,
    checkpoints,
    estimator,
    tasks,
    dataSha256,
    notes,
    warnings: [...new Set(warnings)],
  };
}

function select(experiment: Experiment, { tasks, dataset, labelNoise }: Selection, file: string): Experiment {
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
  return {
    ...experiment,
    tasks: labelNoise ? chosen.map((task) => ({ ...task, label_noise: labelNoise })) : chosen,
  };
}
