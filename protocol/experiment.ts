/**
 * The resolved experiment: what `config` makes of a `*.layerif.yaml` with every default filled in and every alias
 * replaced. It is stored in the result file as `experiment`. Paths are as written (relative to the file's folder).
 */
import type { AggregationId, DampingRule, EstimatorId, PrunerId } from './methods.ts';
import type { ScheduleId, OptimizerId } from './optimizer.ts';

export type { AggregationId, DampingRule, EstimatorId };
export type LossId = 'all' | 'target';
export type OutputType = 'loglikelihood' | 'loglikelihood_rolling' | 'multiple_choice' | 'generate_until';
export type DataFormat = 'json' | 'csv' | 'tsv' | 'parquet' | 'arrow' | 'text';

export interface Experiment {
  version: 1;
  description?: string;
  model: {
    path: string;
    revision?: string;
    adapter?: string;
    max_length: number;
    layers_pattern?: string;
    output?: string;
  };
  datasets: Record<string, Dataset>;
  tasks: Task[];
  score: Score;
  /** Reserved sections, checked by the schema and used by `allocate`, `prune`, `evaluate`. */
  allocate?: Record<string, unknown>;
  prune?: Prune;
  evaluate?: Evaluate;
  validate?: ValidateSettings;
  /** Layer scores beside influence. */
  scores?: AskedScore[];
  /** The file has `scores` or `data_scores` and no `score`: influence is not computed. */
  scores_alone?: true;
  /** Scores of rows, tokens and facts. */
  data_scores?: AskedScore[];
  train_experts?: TrainExpertsSettings;
  train?: TrainSettings;
  output_dir: string;
}

export interface Dataset {
  /** One of `path` and `data_files` is set; both for files of a Hub dataset. */
  path?: string;
  data_files?: Record<string, string | string[]>;
  /** Instead of files of rows: a .npy file for each column, the first axis running over the rows. */
  arrays?: Record<string, string>;
  /** Subset (configuration) of a Hub dataset. */
  name?: string;
  /** Of a Hub dataset: branch, tag or commit. */
  revision?: string;
  ds_type?: DataFormat;
  /** Of JSON files that hold one object: its property with the rows. */
  field?: string;
  split_column?: string;
  /** New column name -> column name in the file. */
  field_mapping?: Record<string, string>;
}

export interface Task {
  task: string;
  /** Key into `datasets`. A harness `dataset_path` becomes a dataset of its own. */
  dataset: string;
  training_split: string;
  /** Absent: `validation[:50]` where the dataset has that split, else the 50 rows after the training slice. */
  validation_split?: string;
  fewshot_split?: string;
  test_split?: string;
  description?: string;
  /** Jinja template or column name. */
  doc_to_text?: string;
  /** Index, letter, text, template or column name; a list where any of several answers is right. */
  doc_to_target?: string | number | (string | number)[];
  /** List of texts, a template or the name of a list column. */
  doc_to_choice?: string[] | string;
  /** How inputs of a user's ONNX graph that are no tokens are filled, by their names. */
  inputs?: Record<string, GraphInput>;
  target_delimiter: string;
  fewshot_delimiter: string;
  output_type: OutputType;
  num_fewshot: number;
  /** Set where there are few-shot examples and something else than the default is asked for. */
  fewshot_config?: FewshotConfig;
  /** Text between prompt and answer that the answer begins with: template or column name. */
  gen_prefix?: string;
  /** Texts are rendered by the model's chat template, or by the one of that name. */
  apply_chat_template?: true | string;
  /** Before everything else; the system's message where a chat template is applied. */
  system_instruction?: string;
  /** False: few-shot examples stand in the user's turn as text. Default: turns of their own. */
  fewshot_as_multiturn?: false;
  /** Further names that the chat template reads. */
  chat_template_args?: Record<string, unknown>;
  metric_list?: unknown[];
  /** `!function NAME`: Python that makes the metrics, so that `evaluate` leaves the task out. */
  process_results?: string;
  /** What `evaluate` makes of answers before it compares them. */
  filter_list?: unknown[];
  /** Of `generate_until`: how `evaluate` generates (`until`, `max_gen_toks`, `do_sample`, `temperature`, ...). */
  generation_kwargs?: Record<string, unknown>;
  /** Of `generate_until`: answers for each row; default 1. */
  repeats?: number;
  /** Set by a score that changes labels on purpose, in an influence run of its own; no key of the file. */
  label_noise?: LabelNoise;
  /** Harness keys that were accepted and do nothing here. */
  ignored?: string[];
}

/** A share of the training rows gets another choice as its answer. */
export interface LabelNoise {
  share: number;
  seed: number;
}

/** Which examples stand before a prompt, and how they are written where that differs from the task. */
export interface FewshotConfig {
  /** `default`: at random, by the harness' seed. */
  sampler?: 'default' | 'first_n';
  split?: string;
  /** Where the task names neither a split for examples nor one for training: the harness then takes this one. */
  pool?: string;
  /** Instead of rows of a split. */
  samples?: Record<string, unknown>[];
  doc_to_text?: string;
  doc_to_target?: Task['doc_to_target'];
  doc_to_choice?: Task['doc_to_choice'];
  gen_prefix?: string;
  fewshot_delimiter?: string;
  target_delimiter?: string;
}

/** A column of numbers, .npy files or images for one input of a graph. */
export interface GraphInput {
  column: string;
  /** Height and width that images are brought to; absent: those of the graph. */
  size?: [number, number];
  /** Subtracted from values between 0 and 1, by channel. */
  mean?: number[];
  /** Divided by, by channel. */
  std?: number[];
  /** What the numbers of an image are multiplied with before the mean is subtracted; default 1/255. */
  rescale?: number;
  /** Order of an image's axes; default channels_first. */
  layout?: 'channels_first' | 'channels_last';
}

export interface Until {
  /** Most ranks that a rank interval may span, as a share of the layers; two thirds of the layers must keep to it. */
  rank_interval: number;
  /** Most training samples of a task. */
  rows: number;
}

export interface Score {
  estimator: EstimatorId;
  damping: { rule: DampingRule; factor: number };
  loss: LossId;
  aggregation: AggregationId;
  /** Globs over module names below the layer. */
  modules: string[];
  /** `'all'`, or a sorted list without repeats (a range "8-15" is resolved to the list). */
  layers: 'all' | number[];
  projection: 'auto' | 'none' | number;
  /** From Grams of all samples or from sums of gradients; absent: `auto`. */
  accumulate?: 'auto' | 'grams' | 'sums';
  /** Further rows are added until the order of layers is settled; no part of the run's hash. */
  until?: Until;
  params: 'base' | 'lora';
  per?: 'sample' | 'pair';
  /** What has a score of its own below a layer; absent: `module`. */
  granularity?: 'module' | 'head';
  /** What the estimator `relatif` divides by; absent: `l`. */
  relatif?: 'l' | 'theta';
  /**
   * Labels of the curvature's gradients, for `ekfac`: of the text, or drawn from the model. Set for that estimator
   * alone.
   */
  fisher?: 'empirical' | 'true';
  /** Of a training run, for `tracin`. */
  checkpoints?: { path: string; learning_rate: number }[];
  seed: number;
}

/** Texts that are looked at: a slice of a dataset, each text up to `max_length` tokens. */
export interface TextSource {
  dataset: string;
  split: string;
  max_length?: number;
}

/** Texts of a score, with what some scores ask beside them. */
export interface ScoredTexts extends TextSource {
  /** Column or template. */
  label?: string;
  /** Texts that are measured and not fitted on. */
  held_out?: string;
  /** Of answers: column or template of the question; of what answers it. */
  prompt?: string;
  answer?: string;
  /** The label that means a hallucinated answer. */
  hallucinated?: string;
  /** Columns or templates of a right and of a wrong answer. */
  truthful?: string;
  incorrect?: string;
  /** Right answers, with which the model's own ones are compared. */
  aliases?: string;
  max_new_tokens?: number;
  /** Column with lists of words, where `label` holds a list of labels, one for each. */
  words?: string;
  /** Of a speech encoder: column with paths of .wav files. */
  audio?: string;
  /** Column with lists of [start, end] in seconds, where `label` holds a list of labels of stretches of the audio. */
  times?: string;
}

/** An entry of `scores`. */
export interface AskedScore {
  id: string;
  /** As written: defaults stand in the score's own table. */
  options: Record<string, string | number | boolean>;
  texts?: ScoredTexts;
  /** Training samples of this task, with its answers and labels, in place of texts. */
  task?: string;
}

/** Section `prune`; what is missing is asked for on the command line or takes its default. */
export interface Prune {
  method?: PrunerId;
  calibration?: TextSource;
  /** Share of the prunable weights, or of the layers; 0.5 when nothing is said. */
  sparsity?: number;
  /** `uniform`, a rule of `allocate`, an allocation file, or one sparsity a layer. */
  map?: string | number[];
  /** A layer score that a rule over scores reads in place of influence: an id of `layerif list scores`. */
  by?: string;
  /** `unstructured`, `N:M` or `layers`. */
  structure?: string;
  output?: string;
}

/** Section `evaluate`. */
export interface Evaluate {
  tasks?: string[];
  perplexity?: { dataset: string; split: string };
  /** Tokens that the model reads at once. */
  max_length?: number;
  gate?: { max_drop: number };
}

/** The section `train` with every default filled in. */
export interface TrainSettings {
  /** Absent: the first task. */
  task?: string;
  method: 'lora' | 'full';
  layers: 'all' | number[];
  modules: string[];
  rank: number;
  alpha: number;
  /** Absent: those of the task. */
  training_split?: string;
  validation_split?: string;
  /** Absent: that of `score`. `assistant`: of whole conversations every turn of the assistant's. */
  loss?: LossId | 'assistant';
  /** Column with 0 or 1 for each token of a row. */
  loss_mask?: string;
  optimizer: OptimizerId;
  learning_rate: number;
  weight_decay: number;
  betas: [number, number];
  epsilon: number;
  momentum: number;
  schedule: ScheduleId;
  warmup_steps: number;
  max_grad_norm?: number;
  steps: number;
  batch_size: number;
  gradient_accumulation_steps: number;
  /** Absent: that of `score`. */
  seed?: number;
}

/** The section `train_experts` with every default filled in. */
export interface TrainExpertsSettings {
  /** Rules of `allocate`, or files of allocations. The others are compared with the first. */
  allocations: string[];
  /** Sum of experts over the layers; absent: that of `allocate.experts`, else 5 a layer. */
  total?: number;
  rank: number;
  alpha: number;
  top_k: number;
  modules: string[];
  /** Samples that are trained on; absent: the task's training split. */
  training_split?: string;
  /** Absent: that of `score`. */
  loss?: LossId;
  steps: number;
  batch_size: number;
  learning_rate: number;
  weight_decay: number;
  schedule: ScheduleId;
  warmup_steps: number;
  max_grad_norm?: number;
  balance: number;
  /** Number of trainings of each allocation, with the seeds 0, 1, ... after that of `score`. */
  seeds: number;
}

export interface ValidateSettings {
  protocols: ProtocolId[];
  /** At most this many samples of the task's slices, the first ones. */
  train: number;
  validation: number;
  /** LDS: random half subsets, each trained once per seed. */
  subsets: number;
  /**
   * Leave-one-out: single samples that are left out, those with the highest loss. Leave-k-out: as many random groups of
   * `group_size`.
   */
  leave_out: number;
  group_size: number;
  /** Trainings of each subset or group, with initial factors and batches of their own. */
  seeds: number;
  /** Mislabel detection: share of the labels that are changed. */
  flip: number;
  retrain: {
    /** Layers that are trained and whose influence is checked; absent: the two highest scored ones. */
    layers?: number[];
    rank: number;
    alpha: number;
    optimizer: OptimizerId;
    steps: number;
    batch_size: number;
    learning_rate: number;
    weight_decay: number;
    schedule: ScheduleId;
    warmup_steps: number;
    /** Absent: no clipping. */
    max_grad_norm?: number;
  };
  retrieval: { train_per_class: number; validation_per_class: number };
  surrogate: { pooling: 'last' | 'mean'; components: number; weight_decay: number; damping: number };
  // Absent in files of earlier versions.
  selection?: { share: number; draws: number; held_out: number };
  forgetting?: { threshold: number; corpus?: { dataset: string; split: string }; texts: number; seeds: number };
  mastery?: { facts: number; held_out: number; max_new_tokens: number; seeds: number };
}

/** Of influence. */
export const influenceProtocols = ['lds', 'loo', 'mislabel', 'retrieval', 'surrogate'] as const;
/** All: the others train on what scores of rows, tokens and facts choose. */
export const protocolIds = [...influenceProtocols, 'selection', 'forgetting', 'mastery'] as const;

export type ProtocolId = (typeof protocolIds)[number];
