/** Everything that `train` needs before it starts: model, what of it is trained, samples with their masks. */
import { lookup } from '../../text/lookup.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, LossId, Task, TrainSettings } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { defaultTrain } from '../../config/trainSchema.ts';
import { assistantSample } from '../../data/assistantTurns.ts';
import { byHarness } from '../../data/continuations.ts';
import { exampleOf } from '../../data/context.ts';
import { fewshotForRows, fewshotPool } from '../../data/fewshot.ts';
import { sampleOf } from '../../data/samples.ts';
import { defaultValidation, openDataset, placeOf, readSlice } from '../../data/splits.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import type { Architecture } from '../../models/types.ts';
import { dataHashes } from '../files/provenance.ts';
import type { FetchOptions } from '../inputs/hubInputs.ts';
import { openExperiment, readExperiment } from '../inputs/openExperiment.ts';
import type { ExperimentFile } from '../inputs/openExperiment.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { requireLanguageModel, scopeOf } from '../inputs/scope.ts';

export interface TrainInput {
  file: string;
  baseDir: string;
  experiment: Experiment;
  settings: TrainSettings;
  task: Task;
  checkpoint: Checkpoint;
  model: Architecture;
  layers: number[];
  /** Below a layer, in forward order. */
  modules: string[];
  train: EncodedSample[];
  validation: EncodedSample[];
  dataSha256: Record<string, string>;
}

/** @throws LayerifError `badExperiment`, `badRequest`, `badModel`; `badData` with file and row */
export async function prepareTraining(
  file: string,
  selection: FetchOptions & { task?: string | undefined },
): Promise<TrainInput> {
  return trainInputOf(readExperiment(file, 'train'), selection.task, selection);
}

/**
 * The same of an experiment that is read already.
 * @param fetching null: what has to be downloaded is missing
 */
export async function trainInputOf(
  read: ExperimentFile,
  name: string | undefined,
  fetching: FetchOptions | null,
): Promise<TrainInput> {
  const { experiment, baseDir } = read;
  const settings = experiment.train ?? defaultTrain;
  const task = taskOf(experiment, read.file, name ?? settings.task);
  const opened = await openExperiment(read, { fetching });
  try {
    const { checkpoint, model, tokenizer } = opened;
    requireLanguageModel(model, checkpoint, 'training');
    await opened.fetchDatasets([task.dataset]);
    const source = lookup(experiment.datasets, task.dataset);
    if (!source) throw new LayerifError('badExperiment', `task "${task.task}" names no dataset of the file`);
    const dataset = await openDataset(task.dataset, source, baseDir);
    const split = settings.training_split ?? task.training_split;
    const held = settings.validation_split ?? task.validation_split ?? (await defaultValidation(dataset, split));
    const options = {
      task,
      dataset,
      tokenizer,
      maxLength: experiment.model.max_length,
      loss: settings.loss ?? experiment.score.loss,
      mask: settings.loss_mask,
    };
    const train = await samplesOf(split, options);
    if (train.length === 0) throw new LayerifError('badData', `${split} of ${task.dataset} has no rows to train on`);
    const validation = await samplesOf(held, options);
    for (const [what, texts] of Object.entries({ train, validation }))
      requireTexts({ what: `${what} sample`, task: task.task, texts, tokenizer, ...limitsOf(model) }, 'train');
    const { layers, modules } = scoped(() =>
      scopeOf(checkpoint, model, { layers: settings.layers, modules: settings.modules }),
    );
    return {
      file: read.file,
      baseDir,
      experiment,
      settings,
      task,
      checkpoint,
      model,
      layers,
      modules,
      train: train.map(({ sample }) => sample),
      validation: validation.map(({ sample }) => sample),
      dataSha256: await dataHashes(dataset.files, baseDir),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** Names of keys are those of this section. */
function scoped<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    throw new LayerifError(error.code, error.message.replace(/^score\./, 'train.'), { place: error.place });
  }
}

function taskOf({ tasks }: Experiment, file: string, name: string | undefined): Task {
  const task = name === undefined ? tasks[0] : tasks.find((t) => t.task === name);
  if (task) return task;
  throw new LayerifError(
    'badRequest',
    `${file} has no task "${name}" to train on; its tasks are ${tasks.map((t) => t.task).join(', ')}`,
  );
}

interface SampleSource {
  task: Task;
  dataset: OpenDataset;
  tokenizer: TextTokenizer;
  maxLength: number;
  loss: LossId | 'assistant';
  mask: string | undefined;
}

interface PlacedSample {
  sample: EncodedSample;
  tokens: Int32Array;
  file: string;
  line: number | null;
}

async function samplesOf(
  split: string,
  { task, dataset, tokenizer, maxLength, loss, mask }: SampleSource,
): Promise<PlacedSample[]> {
  const rows = await readSlice(dataset, split);
  const fewshot = fewshotForRows(task, await fewshotPool(task, dataset, split), rows);
  return rows.map((row) => {
    const place = { file: row.file, line: row.line };
    if (loss === 'assistant') {
      const { tokens, whole, counted } = assistantSample(task, row, tokenizer, maxLength);
      const also = mask === undefined ? undefined : maskOf(row, mask, whole, tokens, counted);
      return { sample: { tokens, countedFrom: 1, counted: also ?? counted }, tokens, ...place };
    }
    const example = exampleOf(task, row, fewshot(row));
    const { tokens, countedFrom } = sampleOf(example, tokenizer, { maxLength, loss });
    const whole =
      mask === undefined
        ? null
        : (example.rendered ? byHarness(tokenizer) : tokenizer).encode(example.prompt + example.answer);
    const from = tokens.map((_, t) => (t >= countedFrom ? 1 : 0));
    const counted = whole === null ? undefined : maskOf(row, mask!, whole, tokens, from);
    return { sample: { tokens, countedFrom, ...(counted ? { counted } : {}) }, tokens, ...place };
  });
}

/**
 * @param within 1 for each token that the loss counts
 * @throws LayerifError `badData`: no list of 0 and 1, another number of them than the row has tokens, nothing that is
 *   counted
 */
function maskOf(
  row: Row,
  column: string,
  whole: Int32Array,
  tokens: Int32Array,
  within: ArrayLike<number>,
): Uint8Array {
  const fault = (what: string): LayerifError =>
    new LayerifError('badData', `row ${row.row}: ${what}`, { place: placeOf(row) });
  if (!Object.hasOwn(row.values, column)) {
    throw fault(`there is no column "${column}" (train.loss_mask); its columns: ${Object.keys(row.values).join(', ')}`);
  }
  const given = row.values[column];
  const list: unknown = typeof given === 'string' ? parsed(given) : given;
  if (!Array.isArray(list) || !list.every((item) => Number(item) === 0 || Number(item) === 1)) {
    throw fault(`${column} is ${JSON.stringify(given).slice(0, 60)}; a list of 0 and 1, one for each token, is needed`);
  }
  if (list.length !== whole.length) {
    throw fault(
      `${column} has ${list.length} numbers, the row has ${whole.length} tokens; make the mask with this model's tokenizer and this template`,
    );
  }
  // A row that is cut keeps its first tokens, or with the loss of the answer its last ones.
  const cut = tokens.every((token, t) => token === whole[t]) ? 0 : whole.length - tokens.length;
  const counted = Uint8Array.from(tokens, (_, t) => (Number(list[cut + t]) === 1 && within[t] === 1 ? 1 : 0));
  if (!counted.includes(1)) throw fault(`${column} leaves no token that is counted; remove the row or change the mask`);
  return counted;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
