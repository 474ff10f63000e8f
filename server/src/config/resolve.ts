/**
 * From a valid file to the resolved experiment: aliases replaced, defaults filled in, ranges written out, datasets of
 * harness task files given a name. Nothing is read from disk and nothing fails here.
 */
import { isHubId } from '../hub/cache.ts';
import type { Dataset, Experiment, Score, Task } from '../../../protocol/experiment.ts';
import type { ParsedDataset, ParsedExperiment } from './schema.ts';
import { builders, ignoredKeys } from './taskSchema.ts';
import { layersOf } from './layerList.ts';
import { resolveAsked } from './scoresSchema.ts';
import { resolveTrainExperts } from './trainExpertsSchema.ts';
import { resolveTrain } from './trainSchema.ts';
import { resolveValidation } from './validateSchema.ts';
import type { ParsedTask } from './taskSchema.ts';

export const defaultTrainingSplit = 'train[:300]';

/** @param scoresAlone whether the file has `scores` and no `score` */
export function resolveExperiment(parsed: ParsedExperiment, scoresAlone = false): Experiment {
  const { max_length, sequence_len, cutoff_len, ...model } = parsed.model;
  const datasets = Object.fromEntries(
    Object.entries(parsed.datasets ?? {}).map(([name, dataset]) => [name, resolveDataset(dataset)]),
  );
  const tasks = parsed.tasks.map((task) => resolveTask(task, datasets));
  const { allocate, prune, evaluate, scores, data_scores, train_experts, train } = parsed;
  return defined({
    version: 1 as const,
    description: parsed.description,
    model: defined({ ...model, max_length: sequence_len ?? cutoff_len ?? max_length }),
    datasets,
    tasks,
    score: resolveScore(parsed.score),
    allocate,
    prune,
    evaluate,
    validate: parsed.validate === undefined ? undefined : resolveValidation(parsed.validate),
    scores: scores?.map(resolveAsked),
    scores_alone: scoresAlone ? (true as const) : undefined,
    data_scores: data_scores?.map(resolveAsked),
    train_experts: train_experts === undefined ? undefined : resolveTrainExperts(train_experts),
    train: train === undefined ? undefined : resolveTrain(train),
    output_dir: parsed.output_dir,
  }) satisfies Experiment;
}

function resolveDataset({ data_files, ...dataset }: ParsedDataset): Dataset {
  return defined({ ...dataset, data_files: data_files === undefined ? undefined : filesBySplit(data_files) });
}

/** A path or a list alone is split `train`, as in Hugging Face. */
function filesBySplit(files: NonNullable<ParsedDataset['data_files']>): Record<string, string | string[]> {
  return typeof files === 'string' || Array.isArray(files) ? { train: files } : files;
}

/** @param datasets gets the dataset that a harness task brings along */
function resolveTask(task: ParsedTask, datasets: Record<string, Dataset>): Task {
  const ignored = ignoredKeys(task);
  // Where there is none at all, references.ts says so.
  const [first = ''] = Object.keys(datasets);
  return defined({
    task: task.task!,
    dataset: task.dataset ?? ownDataset(task, datasets) ?? first,
    training_split: task.training_split ?? defaultTrainingSplit,
    validation_split: task.validation_split ?? undefined,
    fewshot_split: task.fewshot_split ?? undefined,
    test_split: task.test_split ?? undefined,
    description: task.description,
    doc_to_text: task.doc_to_text,
    doc_to_target: task.doc_to_target,
    doc_to_choice: choicesOf(task.doc_to_choice),
    inputs: inputsOf(task.inputs),
    target_delimiter: task.target_delimiter,
    fewshot_delimiter: task.fewshot_delimiter,
    output_type: task.output_type ?? likelyOutputType(task),
    num_fewshot: task.num_fewshot,
    fewshot_config: fewshotOf(task),
    gen_prefix: task.gen_prefix || undefined,
    apply_chat_template: task.apply_chat_template || undefined,
    system_instruction: task.system_instruction || undefined,
    fewshot_as_multiturn: task.fewshot_as_multiturn === false ? (false as const) : undefined,
    chat_template_args: task.chat_template_args ?? undefined,
    metric_list: task.metric_list,
    process_results: typeof task.process_results === 'string' ? task.process_results : undefined,
    filter_list: Array.isArray(task.filter_list) ? (task.filter_list as unknown[]) : undefined,
    ...generationOf(task),
    ignored: ignored.length > 0 ? ignored : undefined,
  });
}

/** Of tasks whose answers the model writes. */
function generationOf(task: ParsedTask): Pick<Task, 'generation_kwargs' | 'repeats'> {
  if ((task.output_type ?? likelyOutputType(task)) !== 'generate_until') return {};
  const { generation_kwargs: given, repeats } = task;
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  return {
    ...(isObject ? { generation_kwargs: given as Record<string, unknown> } : {}),
    ...(typeof repeats === 'number' && repeats !== 1 ? { repeats } : {}),
  };
}

/** A mapping's values are the choices, as in the harness. */
function choicesOf(choices: ParsedTask['doc_to_choice']): Task['doc_to_choice'] {
  if (choices === undefined || typeof choices === 'string') return choices;
  return (Array.isArray(choices) ? choices : Object.values(choices)).map(String);
}

/** Absent where it says nothing, or there are no examples. */
function fewshotOf(task: ParsedTask): Task['fewshot_config'] {
  if (!task.num_fewshot) return undefined;
  const { doc_to_choice, sampler, split, samples, ...rest } = task.fewshot_config ?? {};
  const { doc_to_text, doc_to_target, gen_prefix, fewshot_delimiter, target_delimiter } = rest;
  const texts = { doc_to_text, doc_to_target, gen_prefix, fewshot_delimiter, target_delimiter };
  const named = split ?? task.fewshot_split ?? task.training_split ?? undefined;
  // The harness draws from validation, else from test rows, where a task has no training rows.
  const pool = named === undefined && !samples ? (task.validation_split ?? task.test_split) : undefined;
  const found = defined({
    ...Object.fromEntries(Object.entries(texts).map(([key, value]) => [key, value ?? undefined])),
    doc_to_choice: choicesOf(doc_to_choice ?? undefined),
    sampler: sampler === 'first_n' ? sampler : undefined,
    split: split ?? undefined,
    samples: samples ?? undefined,
    pool: pool ?? undefined,
  });
  return Object.keys(found).length === 0 ? undefined : found;
}

/** A name alone is the column's. */
function inputsOf(inputs: ParsedTask['inputs']): Task['inputs'] {
  if (inputs === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [
      name,
      typeof input === 'string' ? { column: input } : defined(input),
    ]),
  );
}

function likelyOutputType(task: ParsedTask): Task['output_type'] {
  if (task.doc_to_choice !== undefined) return 'multiple_choice';
  return task.doc_to_target === undefined ? 'loglikelihood_rolling' : 'generate_until';
}

/** The dataset of `dataset_path`, `dataset_name`, `dataset_kwargs`; null when the task names none of these. */
function ownDataset(task: ParsedTask, datasets: Record<string, Dataset>): string | null {
  const place = task.dataset_path;
  if (place === undefined) return null;
  const files = task.dataset_kwargs?.data_files;
  const folder = task.dataset_kwargs?.data_dir;
  if (Object.hasOwn(datasets, place) && files === undefined) return place;

  const format = builders.get(place);
  const dataset: Dataset = defined({
    path:
      format === undefined
        ? files === undefined || isHubId(place)
          ? place
          : undefined
        : files === undefined
          ? folder
          : undefined,
    data_files: files === undefined ? undefined : filesBySplit(files),
    ds_type: format,
    field: task.dataset_kwargs?.field,
    name: task.dataset_name || undefined,
    revision: task.dataset_kwargs?.revision,
  });
  const name =
    format === undefined && files === undefined
      ? [place, task.dataset_name].filter((part) => part).join(':')
      : task.task!;
  const key = free(name, dataset, datasets);
  datasets[key] = dataset;
  return key;
}

/** The name itself, or with a number behind it when another dataset has it. */
function free(name: string, dataset: Dataset, datasets: Record<string, Dataset>): string {
  const same = (other: Dataset | undefined) => other === undefined || JSON.stringify(other) === JSON.stringify(dataset);
  let candidate = name;
  for (let n = 2; !same(datasets[candidate]); n++) candidate = `${name}-${n}`;
  return candidate;
}

function resolveScore({ damping_factor, damping, layers, fisher, ...score }: ParsedExperiment['score']): Score {
  return defined({
    ...score,
    fisher: score.estimator !== 'ekfac' ? undefined : fisher === 'empirical' ? fisher : ('true' as const),
    damping: damping ?? { rule: 'mean_square', factor: damping_factor ?? 0.1 },
    layers: layersOf(layers),
  });
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without keys that are undefined: the experiment is stored as JSON and hashed. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Defined<T>;
}
