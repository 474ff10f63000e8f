/** A task of an experiment -> its training and validation samples, ready for the engine. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Dataset, LabelNoise, LossId, Task } from '../../../protocol/experiment.ts';
import { templateWarnings } from './chatTurns.ts';
import { exampleOf } from './context.ts';
import { furtherRows, type Sides } from './furtherRows.ts';
import { fewshotForRows, fewshotPool, type Fewshot } from './fewshot.ts';
import { graphSample } from './graphSamples.ts';
import type { GraphInputs } from './graphSamples.ts';
import { noisyExamples } from './labelNoise.ts';
import { sampleOf } from './samples.ts';
import type { OpenDataset } from './dataset.ts';
import { countSlice, defaultValidation, openDataset, readSlice } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Row, Sample } from './types.ts';
import { datasetNamed } from './datasetNamed.ts';

export interface LoadTaskOptions {
  task: Task;
  datasets: Record<string, Dataset>;
  /** Absolute folder of the experiment file. */
  baseDir: string;
  /** Most tokens of a sample. */
  maxLength: number;
  loss: LossId;
  tokenizer: TextTokenizer;
  /** How many rows stand behind those of the slices, as far as there are some (furtherRows.ts). */
  further?: Sides | undefined;
  signal?: AbortSignal | undefined;
}

/** The same for a model that may be a user's graph. */
export interface LoadModelTaskOptions extends Omit<LoadTaskOptions, 'tokenizer'> {
  /** Null for a graph that takes no text. */
  tokenizer: TextTokenizer | null;
  /** What a user's graph asks for; a checkpoint reads text alone. */
  graph?: GraphInputs | null | undefined;
}

export interface LoadedTask {
  train: Sample[];
  validation: Sample[];
  warnings: string[];
  /** Of the texts themselves. */
  textWarnings: string[];
  /** Absolute paths of the dataset's files. */
  files: string[];
}

/** Samples between two looks at the event loop. */
const SAMPLES_PER_TURN = 64;

/** @throws LayerifError `badData`, with file and line where a row is to blame; `cancelled` when `signal` is aborted. */
export async function loadTask(options: LoadModelTaskOptions): Promise<LoadedTask> {
  const { task } = options;
  const dataset = await datasetOf(options);
  const slices = await slicesOf(task, dataset);
  const more = options.further && (await furtherRows(task, dataset, slices, options.further));
  const trainRows = [...(await readSlice(dataset, slices.training)), ...(more?.train ?? [])];
  const validationRows = [...(await readSlice(dataset, slices.validation)), ...(more?.validation ?? [])];
  const pool = await fewshotPool(task, dataset, slices.training);
  const train = await encode(trainRows, fewshotForRows(task, pool, trainRows), options, task.label_noise);
  const validation = await encode(validationRows, fewshotForRows(task, pool, validationRows), options);
  return {
    train,
    validation,
    textWarnings: [...twiceBegun(task, [...train, ...validation], options.tokenizer), ...templateWarnings(task)],
    warnings: [...dataset.warnings, ...shared(task, trainRows, validationRows)],
    files: dataset.files,
  };
}

/** Rows of a task's training and validation slices, without tokenizing: for code lenses. */
export async function countTask(
  options: Pick<LoadTaskOptions, 'task' | 'datasets' | 'baseDir'>,
): Promise<{ train: number; validation: number }> {
  const dataset = await datasetOf(options);
  const { training, validation } = await slicesOf(options.task, dataset);
  return { train: await countSlice(dataset, training), validation: await countSlice(dataset, validation) };
}

export async function datasetOf({
  task,
  datasets,
  baseDir,
}: Pick<LoadTaskOptions, 'task' | 'datasets' | 'baseDir'>): Promise<OpenDataset> {
  return openDataset(task.dataset, datasetNamed(datasets, task.dataset, `task "${task.task}": `), baseDir);
}

export async function slicesOf(task: Task, dataset: OpenDataset): Promise<{ training: string; validation: string }> {
  return {
    training: task.training_split,
    validation: task.validation_split ?? (await defaultValidation(dataset, task.training_split)),
  };
}

async function encode(
  rows: Row[],
  fewshot: Fewshot,
  { task, tokenizer, maxLength, loss, graph, signal }: LoadModelTaskOptions,
  noise?: LabelNoise,
): Promise<Sample[]> {
  if (noise && graph) {
    throw new LayerifError(
      'badData',
      `task "${task.task}": labels of an ONNX graph are not changed; name the column that marks noisy rows`,
    );
  }
  const changed = noise && noisyExamples(task, rows, noise, fewshot);
  const samples: Sample[] = [];
  for (const row of rows) {
    if (samples.length % SAMPLES_PER_TURN === SAMPLES_PER_TURN - 1) await new Promise((next) => setImmediate(next));
    if (signal?.aborted) throw new LayerifError('cancelled', 'reading the data was cancelled');
    samples.push(
      graph
        ? await graphSample(task, row, fewshot(row), tokenizer, { maxLength, loss }, graph)
        : sampleOf(changed?.[samples.length] ?? exampleOf(task, row, fewshot(row)), tokenizer!, { maxLength, loss }),
    );
  }
  return samples;
}

/** As llama.cpp warns: the text brings the token along that the tokenizer puts in front. */
function twiceBegun(task: Task, samples: readonly Sample[], tokenizer: TextTokenizer | null): string[] {
  if (tokenizer === null || tokenizer.begins === null) return [];
  const { begins } = tokenizer;
  const twice = samples.filter(({ tokens }) => tokens[0] === begins && tokens[1] === begins);
  const [first] = twice;
  if (!first) return [];
  const { file, row } = first;
  return [
    `task "${task.task}": ${twice.length} of ${samples.length} texts begin with ${tokenizer.decode([begins])}, which the tokenizer puts in front too, so they begin with it twice (first: row ${row} of ${path.basename(file)}); take it out of doc_to_text or the data`,
  ];
}

function shared(task: Task, train: Row[], validation: Row[]): string[] {
  const key = (row: Row): string => `${row.row}:${row.file}`;
  const seen = new Set(train.map(key));
  const count = validation.filter((row) => seen.has(key(row))).length;
  return count === 0
    ? []
    : [
        `task "${task.task}": ${count} of the ${validation.length} validation samples are training samples too; influence on them measures memorising`,
      ];
}
