/**
 * One task, in the words of lm-evaluation-harness. Three tables: what is read, what a harness file may hold without
 * effect here (listed as ignored), and what would change the numbers but cannot be run here (refused with advice).
 */
import { z } from 'zod';
import type { DataFormat } from '../../../protocol/experiment.ts';
import { datasetName, doc, filePath, isMapping, splitSlice } from './words.ts';

/** Accepted without effect on scores. */
export const ignoredTaskKeys = [
  'aggregate_metric_list',
  'batch_size',
  'custom_config',
  'doc_to_decontamination_query',
  'download_dataset',
  'filter_list',
  'generation_kwargs',
  'group',
  'group_alias',
  'metadata',
  'multiple_inputs',
  'multiple_targets',
  'repeats',
  'should_decontaminate',
  'tag',
  'task_alias',
  'task_id',
  'unsafe_code',
  'weight_by_size',
] as const;

const pythonAdvice =
  'LayerIF runs no Python; apply it once and save the rows as a dataset file, then use doc_to_text and doc_to_target';

/** Would change the texts, so it is never ignored. */
export const refusedTaskKeys: Readonly<Record<string, string>> = {
  process_docs: `process_docs is a Python function: ${pythonAdvice}`,
  class: `class names a Python class that makes the whole task: ${pythonAdvice}`,
  custom_dataset: `custom_dataset is a Python function: ${pythonAdvice}`,
  use_prompt:
    'use_prompt takes templates from promptsource, which is not read: write the template into doc_to_text and doc_to_target',
  doc_to_image: 'doc_to_image asks for images: LayerIF scores text alone',
  doc_to_audio: 'doc_to_audio asks for sound: LayerIF scores text alone',
};

/** Arguments of `load_dataset` that are read, and those that say how it fetches and keeps what it reads. */
const readKwargs = ['data_files', 'data_dir', 'field', 'revision'];
const harmlessKwargs = [
  'cache_dir',
  'download_config',
  'download_mode',
  'ignore_verifications',
  'keep_in_memory',
  'num_proc',
  'save_infos',
  'storage_options',
  'streaming',
  'token',
  'trust_remote_code',
  'use_auth_token',
  'verification_mode',
];

/** Arguments that would change which rows are read, or how. Of a task with rows of its own (`dataset`) none does. */
export function refusedKwargs(task: Record<string, unknown>): string[] {
  if (task.dataset !== undefined || !isMapping(task.dataset_kwargs)) return [];
  return Object.entries(task.dataset_kwargs)
    .filter(([key, value]) => value !== null && !readKwargs.includes(key) && !harmlessKwargs.includes(key))
    .map(([key]) => key);
}

/** Keys under which a Python function changes no text: `evaluate` alone asks what they hold. */
export const keysBesideTexts: ReadonlySet<string> = new Set([...ignoredTaskKeys, 'metric_list', 'process_results']);

/** `!function utils.process` in a harness file. */
export function functionMessage(key: string, source: string): string {
  return `${key ? `${key}: ` : ''}!function ${source} is a Python function: ${pythonAdvice}`;
}

const target = z.union([z.string(), z.int(), z.array(z.union([z.string(), z.int()])).min(1)]);
const text = z.union([z.string(), z.number()]);
const choice = z.union([z.array(text).min(1), z.string().min(1), z.record(z.string(), text)]);

const read = {
  include: doc(
    z.union([filePath, z.array(filePath).min(1)]),
    'A task file of lm-evaluation-harness (YAML), relative to the file it stands in. Keys beside it win over keys of the file; of several files the later one wins.',
    ['tasks/arc_easy.yaml'],
  ).optional(),
  // Required, but an included file may give it: `references.ts` looks after the merge.
  task: doc(z.string().min(1), 'Name of the task (required); every task has its own.').optional(),
  dataset: doc(datasetName, 'A name under `datasets`. Default: the only dataset.').optional(),
  dataset_path: doc(
    z.string().min(1),
    'Harness word: a name under `datasets`, a path, a Hub id, or json, csv, parquet, arrow, text with dataset_kwargs.data_files.',
  ).optional(),
  dataset_name: doc(z.string().nullable(), 'Harness word: subset (configuration) of a Hub dataset.').optional(),
  dataset_kwargs: doc(
    z
      .looseObject({
        data_files: doc(
          z.union([
            filePath,
            z.array(filePath).min(1),
            z.record(z.string().min(1), z.union([filePath, z.array(filePath).min(1)])),
          ]),
          'Files, or files by split.',
        ).optional(),
        data_dir: doc(filePath, 'Folder of the files.').optional(),
        field: doc(z.string().min(1), 'JSON: the property that holds the rows.').optional(),
        revision: doc(z.string().min(1), 'Branch, tag or commit of a Hub dataset.').optional(),
      })
      .nullable(),
    'Harness word: arguments for loading the dataset; data_files, data_dir, field and revision are read.',
  ).optional(),
  training_split: doc(splitSlice.nullable(), 'Samples whose influence is computed. Default: train[:300].', [
    'train[:300]',
  ]).optional(),
  validation_split: doc(
    splitSlice.nullable(),
    'Samples that stand for the task. Default: validation[:50] where the dataset has that split, else the 50 rows after the training slice.',
    ['validation[:50]', 'train[300:350]'],
  ).optional(),
  test_split: doc(splitSlice.nullable(), 'Samples for `evaluate`.', ['test']).optional(),
  fewshot_split: doc(
    splitSlice.nullable(),
    'Where few-shot examples come from. Default: the training split.',
  ).optional(),
  description: doc(z.string(), 'Text before the first few-shot example.').optional(),
  doc_to_text: doc(z.string(), 'The prompt: a Jinja template over the columns of a row, or the name of a column.', [
    'Review: {{text}}\nSentiment:',
    'text',
  ]).optional(),
  doc_to_target: doc(
    target,
    'The answer: an index into doc_to_choice, a letter, a text, a template or the name of a column; a list of answers, of which any is right.',
    ['label', '{{answer}}'],
  ).optional(),
  doc_to_choice: doc(
    choice,
    'The choices: a list of texts, a mapping to texts, a template or the name of a list column.',
    [['negative', 'positive'], 'choices'],
  ).optional(),
  gen_prefix: doc(
    z.string().nullable(),
    'Between prompt and answer, as if the answer had begun: a template or the name of a column.',
    ['Answer:'],
  ).optional(),
  apply_chat_template: doc(
    z.union([z.boolean(), z.string().min(1)]),
    "Whether the model's chat template renders the texts: the prompt is the user's turn, or a conversation where doc_to_text is a list of messages; true, or the name of one of several templates.",
  ).optional(),
  system_instruction: doc(
    z.string().nullable(),
    "Text before everything else; with apply_chat_template the system's message.",
  ).optional(),
  fewshot_as_multiturn: doc(
    z.boolean().nullable(),
    'With apply_chat_template: whether few-shot examples are turns of their own (default) or stand in the turn of the user as text.',
  ).optional(),
  chat_template_args: doc(z.record(z.string(), z.unknown()).nullable(), 'Further names that the chat template reads.', [
    { enable_thinking: false },
  ]).optional(),
  fewshot_config: doc(
    z
      .strictObject({
        sampler: doc(
          z.enum(['default', 'first_n']),
          'default: at random, as lm-evaluation-harness draws with its seed 1234; first_n: the first rows, in order.',
        ).optional(),
        split: doc(splitSlice.nullable(), 'Where the examples come from; wins over fewshot_split.').optional(),
        samples: doc(
          z.array(z.record(z.string(), z.unknown())).min(1).nullable(),
          'The examples themselves, in place of rows of a split: one mapping of columns each.',
        ).optional(),
        fewshot_indices: z
          .unknown()
          .meta({ description: 'Accepted from harness task files, which do not read it either.', doNotSuggest: true })
          .optional(),
        doc_to_text: doc(z.string().nullable(), 'doc_to_text of the examples alone.').optional(),
        doc_to_target: doc(target.nullable(), 'doc_to_target of the examples alone.').optional(),
        doc_to_choice: doc(choice.nullable(), 'doc_to_choice of the examples alone.').optional(),
        gen_prefix: doc(z.string().nullable(), 'gen_prefix of the examples alone.').optional(),
        fewshot_delimiter: doc(z.string().nullable(), 'Behind each example.').optional(),
        target_delimiter: doc(z.string().nullable(), 'Between prompt and answer of the examples alone.').optional(),
      })
      .nullable(),
    'Which solved examples stand before a prompt, and how they are written. Only read where num_fewshot is more than 0.',
  ).optional(),
  inputs: doc(
    z.record(
      z.string().min(1),
      z.union([
        z.string().min(1),
        z.strictObject({
          column: doc(z.string().min(1), 'Column of numbers, .npy files or images (PNG, JPEG).'),
          size: doc(
            z.tuple([z.int().min(1), z.int().min(1)]),
            'Height and width that images are brought to (bilinear); default: those of the graph.',
            [[224, 224]],
          ).optional(),
          mean: doc(z.array(z.number()).min(1), 'Subtracted, by channel.', [[0.485, 0.456, 0.406]]).optional(),
          std: doc(z.array(z.number().positive()).min(1), 'Divided by, by channel.', [
            [0.229, 0.224, 0.225],
          ]).optional(),
          rescale: doc(
            z.number().positive(),
            'What the numbers of an image (0 to 255) are multiplied with first; default 1/255.',
          ).optional(),
          layout: doc(
            z.enum(['channels_first', 'channels_last']),
            'Order of an image for the graph; default channels_first.',
          ).optional(),
        }),
      ]),
    ),
    'For an .onnx model: which column fills which input of the graph, and how images are normalised.',
    [{ pixel_values: { column: 'image', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } }],
  ).optional(),
  target_delimiter: doc(z.string().default(' '), 'Between prompt and answer.'),
  fewshot_delimiter: doc(z.string().default('\n\n'), 'Between few-shot examples.'),
  output_type: doc(
    z.enum(['loglikelihood', 'loglikelihood_rolling', 'multiple_choice', 'generate_until']),
    'How the answer is asked for. generate_until is scored as prompt and answer; loglikelihood_rolling is the text alone. Default: multiple_choice with doc_to_choice, loglikelihood_rolling without doc_to_target, else generate_until.',
  ).optional(),
  num_fewshot: doc(z.int().min(0).default(0), 'Solved examples before each prompt.'),
  metric_list: doc(z.array(z.unknown()), 'Metrics of the harness, for `evaluate`.').optional(),
  process_results: doc(
    z.unknown(),
    'Harness word: a Python function that makes the metrics. `evaluate` leaves such a task out; `score` does not need it.',
  ).optional(),
};

const ignored = Object.fromEntries(
  ignoredTaskKeys.map((key) => [
    key,
    z
      .unknown()
      .meta({ description: 'Accepted from harness task files; has no effect here.', doNotSuggest: true })
      .optional(),
  ]),
) as unknown as Record<(typeof ignoredTaskKeys)[number], z.ZodOptional<z.ZodUnknown>>;

export const taskSchema = z.strictObject({ ...read, ...ignored });

export type ParsedTask = z.output<typeof taskSchema>;

/** Values of dataset_path that name a format instead of a place; dataset_kwargs says which files. */
export const builders: ReadonlyMap<string, DataFormat> = new Map([
  ['json', 'json'],
  ['csv', 'csv'],
  ['parquet', 'parquet'],
  ['arrow', 'arrow'],
  ['text', 'text'],
]);

/** Harness keys of one task that do nothing here. */
export function ignoredKeys(task: Record<string, unknown>): string[] {
  const kwargs = isMapping(task.dataset_kwargs) ? Object.keys(task.dataset_kwargs) : [];
  return [
    ...ignoredTaskKeys.filter((key) => task[key] !== undefined && task[key] !== null),
    ...(isMapping(task.fewshot_config) && 'fewshot_indices' in task.fewshot_config
      ? ['fewshot_config.fewshot_indices']
      : []),
    ...(task.dataset === undefined ? kwargs.filter((key) => harmlessKwargs.includes(key)) : kwargs).map(
      (key) => `dataset_kwargs.${key}`,
    ),
  ];
}
