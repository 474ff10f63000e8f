/**
 * Everything that `train-experts` needs before it starts: model, modules, samples to train on, documents to evaluate,
 * allocations.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, Task, TrainExpertsSettings } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { defaultTrainExperts } from '../../config/trainExpertsSchema.ts';
import { exampleOf } from '../../data/context.ts';
import { fewshotForRows, fewshotPool } from '../../data/fewshot.ts';
import { sampleOf } from '../../data/samples.ts';
import { openDataset, readSlice } from '../../data/splits.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import type { Architecture } from '../../models/types.ts';
import { dataHashes } from '../files/provenance.ts';
import { evaluationInput, readsOf } from '../inputs/evaluationInput.ts';
import type { EvaluationInput, TaskInput } from '../inputs/evaluationInput.ts';
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { openExperiment, readExperiment } from '../inputs/openExperiment.ts';
import type { ExperimentFile } from '../inputs/openExperiment.ts';
import { scopeOf } from '../inputs/scope.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import type { EncodedText } from '../inputs/sampleRefusals.ts';
import { nth } from '../../lists/nth.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';

export interface ExpertsInput {
  file: string;
  baseDir: string;
  experiment: Experiment;
  settings: TrainExpertsSettings;
  task: Task;
  checkpoint: Checkpoint;
  model: Architecture;
  /** Below a layer, in forward order. */
  modules: string[];
  train: EncodedSample[];
  evaluation: EvaluationInput;
  dataSha256: Record<string, string>;
}

export interface ExpertsSelection extends FetchOptions {
  /** Default: the first task. */
  task?: string | undefined;
  /** First documents only. */
  limit?: number | undefined;
}

/** @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest` */
export async function prepareExperts(file: string, selection: ExpertsSelection): Promise<ExpertsInput> {
  return expertsInputOf(readExperiment(file, 'train-experts'), selection, selection);
}

/**
 * The same of an experiment that is read already.
 * @param fetching null: what has to be downloaded is missing
 */
export async function expertsInputOf(
  read: ExperimentFile,
  selection: Pick<ExpertsSelection, 'task' | 'limit'>,
  fetching: FetchOptions | null,
): Promise<ExpertsInput> {
  const { file: absolute, baseDir, experiment } = read;
  const settings = experiment.train_experts ?? defaultTrainExperts;
  const task = taskOf(experiment, absolute, selection.task);
  const opened = await openExperiment(read, { fetching });
  try {
    await opened.fetchDatasets([task.dataset]);
    const { checkpoint, model, tokenizer } = opened;
    const train = await trainingSamples(experiment, settings, task, baseDir, tokenizer);
    requireTexts(
      { what: 'training sample', task: task.task, texts: train.texts, tokenizer, ...limitsOf(model) },
      'train-experts',
    );
    const reads = readsOf(checkpoint, model, experiment);
    const evaluation = await evaluationInput(experiment, baseDir, tokenizer, reads, {
      tasks: [task.task],
      limit: selection.limit,
      writes: false,
    });
    requireApart(train.rows, nth(evaluation.tasks, 0));
    return {
      file: absolute,
      baseDir,
      experiment,
      settings,
      task,
      checkpoint,
      model,
      modules: modulesOf(checkpoint, model, settings),
      train: train.samples,
      evaluation,
      dataSha256: await dataHashes([...train.files, ...evaluation.files], baseDir),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

function taskOf({ tasks }: Experiment, file: string, name: string | undefined): Task {
  const task = name === undefined ? tasks[0] : tasks.find((t) => t.task === name);
  if (!task)
    throw new LayerifError(
      'badRequest',
      `${file} has no task "${name}"; its tasks are ${tasks.map((t) => t.task).join(', ')}`,
    );
  if (task.output_type !== 'loglikelihood_rolling') return task;
  throw new LayerifError(
    'badExperiment',
    `task "${task.task}" has output_type loglikelihood_rolling, which has no right answers to count; take a task with answers or choices (doc_to_choice)`,
    { place: { file } },
  );
}

async function trainingSamples(
  { datasets, model, score }: Experiment,
  settings: TrainExpertsSettings,
  task: Task,
  baseDir: string,
  tokenizer: TextTokenizer,
): Promise<{ samples: EncodedSample[]; texts: EncodedText[]; rows: Row[]; files: string[] }> {
  const dataset = await openDataset(task.dataset, datasetNamed(datasets, task.dataset), baseDir);
  const split = settings.training_split ?? task.training_split;
  const rows = await readSlice(dataset, split);
  if (rows.length === 0) throw new LayerifError('badData', `${split} of ${task.dataset} has no rows to train on`);
  const fewshot = fewshotForRows(task, await fewshotPool(task, dataset, split), rows);
  const options = { maxLength: model.max_length, loss: settings.loss ?? score.loss };
  const samples = rows.map((row) => {
    const { tokens, countedFrom } = sampleOf(exampleOf(task, row, fewshot(row)), tokenizer, options);
    return { tokens, countedFrom };
  });
  const texts = samples.map(({ tokens }, i) => ({ tokens, file: nth(rows, i).file, line: nth(rows, i).line }));
  return { samples, texts, rows, files: dataset.files };
}

/** @throws LayerifError `badExperiment` where a row is both trained on and evaluated */
function requireApart(rows: readonly Row[], { name, split, documents }: TaskInput): void {
  const key = ({ row, file }: Row) => `${row}:${file}`;
  const trained = new Set(rows.map(key));
  const both = documents.filter((document) => trained.has(key(document.row))).length;
  if (both === 0) return;
  throw new LayerifError(
    'badExperiment',
    `task "${name}": ${both} of ${documents.length} documents (${split}) are trained on, so accuracy would measure memory; set test_split of the task or train_experts.training_split to rows apart`,
  );
}

function modulesOf(checkpoint: Checkpoint, model: Architecture, { modules }: TrainExpertsSettings): string[] {
  try {
    return scopeOf(checkpoint, model, { layers: 'all', modules }).modules;
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    throw new LayerifError(error.code, error.message.replace(/^score\.modules/, 'train_experts.modules'));
  }
}
