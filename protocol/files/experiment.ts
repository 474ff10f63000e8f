/**
 * Schema of a resolved experiment, as results remember it. The file that a user writes has its own schema in the
 * server's `config/`.
 */
import * as z from 'zod/mini';
import type {
  AskedScore,
  Dataset,
  Evaluate,
  Experiment,
  FewshotConfig,
  GraphInput,
  Prune,
  Score,
  ScoredTexts,
  Task,
  TextSource,
  TrainExpertsSettings,
  TrainSettings,
  ValidateSettings,
} from '../experiment.ts';
import {
  aggregation,
  by,
  dampingRule,
  estimator,
  counts,
  flag,
  id,
  many,
  number,
  numbers,
  some,
  text,
  texts,
} from './parts.ts';
import type { Schema } from './parts.ts';

const optional = <T>(value: Schema<T>) => z.optional(value);
const oneOrMore = z.union([text, texts]);

const dataset: Schema<Dataset> = z.object({
  path: optional(text),
  data_files: optional(by(oneOrMore)),
  arrays: optional(by(text)),
  name: optional(text),
  revision: optional(text),
  ds_type: optional(id<NonNullable<Dataset['ds_type']>>()),
  field: optional(text),
  split_column: optional(text),
  field_mapping: optional(by(text)),
});

const target: Schema<NonNullable<Task['doc_to_target']>> = z.union([text, number, z.array(z.union([text, number]))]);

const fewshot: Schema<FewshotConfig> = z.object({
  sampler: optional(id<NonNullable<FewshotConfig['sampler']>>()),
  split: optional(text),
  pool: optional(text),
  samples: optional(many(some)),
  doc_to_text: optional(text),
  doc_to_target: optional(target),
  doc_to_choice: optional(oneOrMore),
  gen_prefix: optional(text),
  fewshot_delimiter: optional(text),
  target_delimiter: optional(text),
});

const graphInput: Schema<GraphInput> = z.object({
  column: text,
  size: z.optional(z.tuple([number, number])),
  mean: optional(numbers),
  std: optional(numbers),
  rescale: optional(number),
  layout: optional(id<NonNullable<GraphInput['layout']>>()),
});

const task: Schema<Task> = z.object({
  task: text,
  dataset: text,
  training_split: text,
  validation_split: optional(text),
  fewshot_split: optional(text),
  test_split: optional(text),
  description: optional(text),
  doc_to_text: optional(text),
  doc_to_target: optional(target),
  doc_to_choice: optional(oneOrMore),
  inputs: optional(by(graphInput)),
  target_delimiter: text,
  fewshot_delimiter: text,
  output_type: id<Task['output_type']>(),
  num_fewshot: number,
  fewshot_config: optional(fewshot),
  gen_prefix: optional(text),
  metric_list: z.optional(z.array(z.unknown())),
  process_results: optional(text),
  filter_list: z.optional(z.array(z.unknown())),
  generation_kwargs: z.optional(z.record(z.string(), z.unknown())),
  repeats: optional(number),
  label_noise: optional(z.object({ share: number, seed: number })),
  ignored: optional(texts),
});

const score: Schema<Score> = z.object({
  estimator,
  damping: z.object({ rule: dampingRule, factor: number }),
  loss: id<Score['loss']>(),
  aggregation,
  modules: texts,
  layers: z.union([z.literal('all'), counts]),
  projection: z.union([z.literal('auto'), z.literal('none'), number]),
  accumulate: z.optional(z.enum(['auto', 'grams', 'sums'])),
  until: optional(z.object({ rank_interval: number, rows: number })),
  params: id<Score['params']>(),
  per: z.optional(z.enum(['sample', 'pair'])),
  granularity: optional(id<NonNullable<Score['granularity']>>()),
  relatif: z.optional(z.enum(['l', 'theta'])),
  fisher: optional(id<NonNullable<Score['fisher']>>()),
  checkpoints: z.optional(z.array(z.object({ path: text, learning_rate: number }))),
  seed: number,
});

const source: Schema<TextSource> = z.object({ dataset: text, split: text, max_length: optional(number) });

const scoredTexts: Schema<ScoredTexts> = z.object({
  dataset: text,
  split: text,
  max_length: optional(number),
  label: optional(text),
  held_out: optional(text),
  prompt: optional(text),
  answer: optional(text),
  hallucinated: optional(text),
  truthful: optional(text),
  incorrect: optional(text),
  aliases: optional(text),
  max_new_tokens: optional(number),
  words: optional(text),
});

const asked: Schema<AskedScore> = z.object({
  id: text,
  options: by<string | number | boolean>(z.union([text, number, flag])),
  texts: optional(scoredTexts),
});

const prune: Schema<Prune> = z.object({
  method: optional(id<NonNullable<Prune['method']>>()),
  calibration: optional(source),
  sparsity: optional(number),
  map: z.optional(z.union([text, numbers])),
  structure: optional(text),
  output: optional(text),
});

const evaluate: Schema<Evaluate> = z.object({
  tasks: optional(texts),
  perplexity: z.optional(z.object({ dataset: text, split: text })),
  max_length: optional(number),
  gate: z.optional(z.object({ max_drop: number })),
});

export const validateSettings: Schema<ValidateSettings> = z.object({
  protocols: many(id<ValidateSettings['protocols'][number]>()),
  train: number,
  validation: number,
  subsets: number,
  leave_out: number,
  group_size: number,
  seeds: number,
  flip: number,
  retrain: z.object({
    layers: optional(counts),
    rank: number,
    alpha: number,
    optimizer: id<ValidateSettings['retrain']['optimizer']>(),
    steps: number,
    batch_size: number,
    learning_rate: number,
    weight_decay: number,
    schedule: id<ValidateSettings['retrain']['schedule']>(),
    warmup_steps: number,
    max_grad_norm: optional(number),
  }),
  retrieval: z.object({ train_per_class: number, validation_per_class: number }),
  surrogate: z.object({
    pooling: id<ValidateSettings['surrogate']['pooling']>(),
    components: number,
    weight_decay: number,
    damping: number,
  }),
  selection: optional(z.object({ share: number, draws: number, held_out: number })),
  forgetting: optional(
    z.object({
      threshold: number,
      corpus: optional(z.object({ dataset: text, split: text })),
      texts: number,
      seeds: number,
    }),
  ),
  mastery: optional(z.object({ facts: number, held_out: number, max_new_tokens: number, seeds: number })),
});

export const expertsSettings: Schema<TrainExpertsSettings> = z.object({
  allocations: texts,
  total: optional(number),
  rank: number,
  alpha: number,
  top_k: number,
  modules: texts,
  training_split: optional(text),
  loss: optional(id<NonNullable<TrainExpertsSettings['loss']>>()),
  steps: number,
  batch_size: number,
  learning_rate: number,
  weight_decay: number,
  schedule: id<TrainExpertsSettings['schedule']>(),
  warmup_steps: number,
  max_grad_norm: optional(number),
  balance: number,
  seeds: number,
});

const trainSettings: Schema<TrainSettings> = z.object({
  task: optional(text),
  method: id<TrainSettings['method']>(),
  layers: z.union([z.literal('all'), numbers]),
  modules: texts,
  rank: number,
  alpha: number,
  training_split: optional(text),
  validation_split: optional(text),
  loss: optional(id<NonNullable<TrainSettings['loss']>>()),
  loss_mask: optional(text),
  optimizer: id<TrainSettings['optimizer']>(),
  learning_rate: number,
  weight_decay: number,
  betas: z.tuple([number, number]),
  epsilon: number,
  momentum: number,
  schedule: id<TrainSettings['schedule']>(),
  warmup_steps: number,
  max_grad_norm: optional(number),
  steps: number,
  batch_size: number,
  gradient_accumulation_steps: number,
  seed: optional(number),
});

export const experiment: Schema<Experiment> = z.object({
  version: z.literal(1),
  description: optional(text),
  model: z.object({
    path: text,
    revision: optional(text),
    adapter: optional(text),
    max_length: number,
    layers_pattern: optional(text),
    output: optional(text),
  }),
  datasets: by(dataset),
  tasks: many(task),
  score,
  allocate: optional(some),
  prune: optional(prune),
  evaluate: optional(evaluate),
  validate: optional(validateSettings),
  scores: optional(many(asked)),
  scores_alone: z.optional(z.literal(true)),
  data_scores: optional(many(asked)),
  train_experts: optional(expertsSettings),
  train: optional(trainSettings),
  output_dir: text,
});
