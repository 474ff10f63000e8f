/**
 * What an evaluation asks the engine: the documents of every task, each with its candidates as token sequences. One
 * list of sequences serves all tasks and texts, so that the model is read once.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, Task } from '../../../../protocol/experiment.ts';
import type { Sampling } from '../../../../protocol/generation.ts';
import { generationConfig } from '../../checkpoints/generationConfig.ts';
import type { GenerationConfig } from '../../checkpoints/generationConfig.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { encodeContinuation, harnessIds, requirePrefix } from '../../data/continuations.ts';
import { exampleOf, requestsOf, writtenOf } from '../../data/context.ts';
import { fewshotForEvaluation, fewshotPool } from '../../data/fewshot.ts';
import { readPlainTexts } from '../../data/plainTexts.ts';
import { defaultValidation, openDataset, readSlice } from '../../data/splits.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import { refusalsIn } from './refusals.ts';
import { requireTexts } from './sampleRefusals.ts';
import { metricsOfTask, reasonAgainst, taskRefusals } from './taskRefusals.ts';
import { pipelinesOf } from '../../evaluation/filters.ts';
import type { Pipeline } from '../../evaluation/filters.ts';
import { chosenMetrics } from '../../evaluation/summary.ts';
import { newTokens } from '../../generation/harness.ts';
import { samplingOf } from '../../generation/settings.ts';
import type { Metric } from '../../evaluation/metrics.ts';
import { requireLanguageModel } from './scope.ts';
import { languageConfig } from '../../models/wrappers.ts';
import type { Architecture } from '../../models/types.ts';
import { blockWindows, rollingWindows } from '../../evaluation/windows.ts';
import { nth } from '../../lists/nth.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';

export interface Candidate {
  context: string;
  continuation: string;
  /** Indices of its sequences; more than one for a text in windows. */
  sequences: number[];
}

export interface Document {
  row: Row;
  candidates: Candidate[];
  choices: string[];
  /** Indices of the right candidates. */
  golds: number[];
  /**
   * What the model is to write: context, right answers, indices of its prompts (one for each repeat); null where it
   * writes nothing.
   */
  written: { context: string; targets: string[]; prompts: number[] } | null;
}

/** A prompt of a task whose answers the model writes. */
export interface WrittenPrompt {
  tokens: Int32Array;
  maxNewTokens: number;
  stop: readonly string[];
  sampling: Sampling;
}

export interface TaskInput {
  name: string;
  task: Task;
  split: string;
  metrics: Metric[];
  documents: Document[];
  /** What is made of written answers before they are compared. */
  pipelines: Pipeline[];
  /** Rows of the slice before `--limit`. */
  original: number;
}

/** Texts in consecutive windows (WikiText convention), and each text by itself. */
export interface PerplexityInput {
  dataset: string;
  split: string;
  /** Indices of the windows' sequences. */
  windows: number[];
  documents: Document[];
}

export interface EvaluationInput {
  sequences: EncodedSample[];
  prompts: WrittenPrompt[];
  tasks: TaskInput[];
  perplexity: PerplexityInput | null;
  /** Absolute paths of all data files. */
  files: string[];
  /** Tasks, or metrics of them, that are left out, and why. */
  skipped: Skipped[];
}

export interface Skipped {
  task: string;
  /** Null where the whole task is left out. */
  metric: string | null;
  reason: string;
}

/** What a model reads. */
export interface Reads {
  /** Tokens at once. */
  maxLength: number;
  vocabulary: number;
  /** generation_config.json. @throws LayerifError `badModel` */
  generation: () => GenerationConfig;
}

export interface EvaluationSelection {
  /** Names of tasks; default: `evaluate.tasks`, else all tasks unless only perplexity is asked for. */
  tasks?: string[] | undefined;
  /** First documents of each task only. */
  limit?: number | undefined;
  /** Whether the model can write answers; it can by default. */
  writes?: boolean | undefined;
}

/** Longest window where the model reads more, and where its configuration does not say. */
const DEFAULT_LENGTH = 2048;

/** What texts are cut to, and the tokens that they may have. @throws LayerifError `badExperiment` */
export function readsOf(checkpoint: Checkpoint, model: Architecture, experiment: Experiment): Reads {
  return {
    maxLength: readableLength(checkpoint, model, experiment),
    vocabulary: model.vocabulary,
    generation: () => generationConfig(checkpoint),
  };
}

/** Tokens that go through the model at once. */
function readableLength(checkpoint: Checkpoint, model: Architecture, experiment: Experiment): number {
  requireLanguageModel(model, checkpoint, 'evaluation');
  const keys = ['n_positions', 'max_position_embeddings', 'n_ctx'];
  const config = languageConfig(checkpoint.config);
  const positions = keys.flatMap((key) => {
    const value = config[key];
    return typeof value === 'number' ? [value] : [];
  })[0];
  const longest = Math.min(model.longest ?? Infinity, positions ?? DEFAULT_LENGTH);
  const asked = experiment.evaluate?.max_length;
  if (asked !== undefined && asked > longest) {
    throw new LayerifError(
      'badExperiment',
      `evaluate.max_length: ${asked} is more than the ${longest} positions of the model; take at most ${longest}`,
    );
  }
  return asked ?? Math.min(longest, DEFAULT_LENGTH);
}

/** @throws LayerifError `badExperiment`, `badData` with file and row, `badRequest` */
export async function evaluationInput(
  experiment: Experiment,
  baseDir: string,
  tokenizer: TextTokenizer,
  reads: Reads,
  selection: EvaluationSelection,
): Promise<EvaluationInput> {
  const { maxLength, vocabulary } = reads;
  const input: EvaluationInput = { sequences: [], prompts: [], tasks: [], perplexity: null, files: [], skipped: [] };
  const add = (sequence: EncodedSample): number => input.sequences.push(sequence) - 1;
  const check = (what: string, task: string, documents: readonly Document[]): void => {
    const texts = documents.flatMap(({ row: { file, line }, candidates, written }) => [
      ...candidates.flatMap((c) => c.sequences.map((i) => ({ tokens: nth(input.sequences, i).tokens, file, line }))),
      ...(written?.prompts ?? []).map((i) => ({ tokens: nth(input.prompts, i).tokens, file, line })),
    ]);
    requireTexts({ what, task, texts, vocabulary, longest: undefined, tokenizer }, 'evaluate');
  };
  const section = experiment.evaluate;
  const wanted = selection.tasks ?? section?.tasks ?? (section?.perplexity ? [] : experiment.tasks.map((t) => t.task));
  for (const name of wanted) {
    const task = experiment.tasks.find((t) => t.task === name);
    if (!task) {
      throw new LayerifError(
        'badRequest',
        `there is no task "${name}" to evaluate; tasks: ${experiment.tasks.map((t) => t.task).join(', ')}`,
      );
    }
    const chosen = withRoom(task, metricsFor(task, selection.writes), maxLength);
    input.skipped.push(...chosen.skipped);
    if (chosen.metrics.length === 0) continue;
    const dataset = await openDataset(task.dataset, datasetNamed(experiment.datasets, task.dataset), baseDir);
    const split = task.test_split ?? task.validation_split ?? (await defaultValidation(dataset, task.training_split));
    const all = await readSlice(dataset, split);
    const rows = selection.limit === undefined ? all : all.slice(0, selection.limit);
    const fewshot = fewshotForEvaluation(task, await fewshotPool(task, dataset));
    const writing = chosen.metrics.some(({ written }) => written) ? writingOf(task, tokenizer, reads) : null;
    const scored = chosen.metrics.some(({ written }) => !written);
    const documents = rows.map((row) => {
      const examples = fewshot(row);
      const document = scored
        ? documentOf(task, row, examples, tokenizer, maxLength, add)
        : { row, candidates: [], choices: [], golds: [], written: null };
      if (!writing) return document;
      const { context, targets } = writtenOf(task, row, examples);
      const prompt = writing(context);
      const prompts = Array.from({ length: task.repeats ?? 1 }, () => input.prompts.push(prompt) - 1);
      return { ...document, written: { context, targets, prompts } };
    });
    const { metrics, skipped } = forClasses(name, chosen.metrics, documents);
    input.skipped.push(...skipped);
    if (metrics.length === 0) continue;
    check(`candidate of task "${name}"`, name, documents);
    input.files.push(...dataset.files);
    const pipelines = writing ? pipelinesOf(task.filter_list) : [];
    input.tasks.push({ name, task, split, metrics, documents, pipelines, original: all.length });
  }
  if (section?.perplexity && selection.tasks === undefined) {
    const { texts, files } = await readPlainTexts(experiment, section.perplexity, baseDir);
    input.files.push(...files);
    const whole = tokenizer.encode(texts.map(({ text }) => text).join('\n\n'));
    const windows = blockWindows(whole, maxLength).map(add);
    if (windows.length === 0) {
      throw new LayerifError(
        'badData',
        `evaluate.perplexity: ${section.perplexity.split} of ${section.perplexity.dataset} has ${whole.length} tokens, at least 2 are needed; take more texts`,
      );
    }
    const documents = texts.map(({ text, row }) => rollingDocument(text, row, tokenizer, maxLength, add));
    check('text', 'evaluate.perplexity', documents);
    input.perplexity = { ...section.perplexity, windows, documents };
  }
  if (input.tasks.length === 0 && input.perplexity === null && input.skipped.length > 0) {
    const reasons = input.skipped.map(({ task, reason }) => `task "${task}": ${reason}`);
    throw new LayerifError('badExperiment', `nothing is left to evaluate: ${[...new Set(reasons)].join('; ')}`);
  }
  return input;
}

/** Tokens that the harness generates where `generation_kwargs` does not say. */
const HARNESS_NEW_TOKENS = 256;

/** Without the metrics of written answers where the model's positions leave no room for these. */
function withRoom(
  task: Task,
  { metrics, skipped }: { metrics: Metric[]; skipped: Skipped[] },
  maxLength: number,
): { metrics: Metric[]; skipped: Skipped[] } {
  const most = newTokens(task.generation_kwargs ?? {}) ?? HARNESS_NEW_TOKENS;
  const lost = metrics.filter(({ written }) => written);
  if (lost.length === 0 || most < maxLength) return { metrics, skipped };
  const reason = `answers of ${most} tokens leave no room for a prompt in the ${maxLength} positions that the model reads; set generation_kwargs.max_gen_toks to less`;
  return {
    metrics: metrics.filter(({ written }) => !written),
    skipped: [...skipped, ...lost.map(({ id }) => ({ task: task.task, metric: id, reason }))],
  };
}

/** How a task's contexts become prompts: `generation_kwargs` as lm-evaluation-harness and transformers read them. */
function writingOf(
  task: Task,
  tokenizer: TextTokenizer,
  { maxLength, generation }: Reads,
): (context: string) => WrittenPrompt {
  const given = task.generation_kwargs ?? {};
  const until = given.until ?? task.fewshot_delimiter;
  const stops = (Array.isArray(until) ? until : [until]).map(String);
  if (tokenizer.endText !== null && !stops.includes(tokenizer.endText)) stops.push(tokenizer.endText);
  const maxNewTokens = newTokens(given) ?? HARNESS_NEW_TOKENS;
  const temperature = typeof given.temperature === 'number' ? given.temperature : 0;
  const doSample = typeof given.do_sample === 'boolean' ? given.do_sample : temperature > 0;
  const number = (key: string): number | undefined => (typeof given[key] === 'number' ? given[key] : undefined);
  const sampling = samplingOf(
    {
      doSample,
      temperature: doSample && temperature > 0 ? temperature : undefined,
      topK: number('top_k'),
      topP: number('top_p'),
      minP: number('min_p'),
      repetitionPenalty: number('repetition_penalty'),
      seed: number('seed'),
    },
    generation(),
  );
  return (context) => {
    const ids = harnessIds(tokenizer, context);
    const whole = ids.length === 0 && tokenizer.prefix !== null ? Int32Array.of(tokenizer.prefix) : ids;
    const tokens = whole.slice(Math.max(0, whole.length - (maxLength - maxNewTokens)));
    return { tokens, maxNewTokens, stop: stops, sampling };
  };
}

/**
 * The metrics of a task that can be computed, and what is left out.
 * @param writes whether the model can write answers
 */
export function metricsFor(task: Task, writes = true): { metrics: Metric[]; skipped: Skipped[] } {
  const asked = metricsOfTask(task);
  const left = (metric: string | null, reason: string): Skipped => ({ task: task.task, metric, reason });
  const refused = refusalsIn(taskRefusals, task, ['evaluate']);
  if (refused.length > 0) return { metrics: [], skipped: refused.map(({ message }) => left(null, message)) };
  const skipped = asked.flatMap((metric) => {
    const reason = reasonAgainst(task, metric, writes);
    return reason === null ? [] : [left(metric.name, reason)];
  });
  const kept = asked.filter((metric) => reasonAgainst(task, metric, writes) === null);
  if (asked.length > 0 && kept.length === 0) return { metrics: [], skipped };
  return { metrics: chosenMetrics(task.output_type, kept).filter(({ written }) => writes || !written), skipped };
}

/**
 * What `evaluate` leaves out of the tasks of a file, told without their rows.
 * @returns key, sentence, and whether the file asks for an evaluation
 */
export function leftOut({
  evaluate,
  tasks,
}: Pick<Experiment, 'evaluate' | 'tasks'>): { where: (string | number)[]; message: string; wanted: boolean }[] {
  return tasks.flatMap((task, index) => {
    if (evaluate?.tasks && !evaluate.tasks.includes(task.task)) return [];
    const key =
      (['process_results', 'generation_kwargs', 'metric_list'] as const).find((k) => task[k] !== undefined) ??
      'output_type';
    return metricsFor(task).skipped.map(({ reason }) => ({
      where: ['tasks', index, key],
      message: `task "${task.task}": evaluate: ${reason}`,
      wanted: evaluate !== undefined,
    }));
  });
}

/** Binary F1 has no meaning where there are more than two classes, which only the rows tell. */
function forClasses(
  task: string,
  metrics: readonly Metric[],
  documents: readonly Document[],
): { metrics: Metric[]; skipped: Skipped[] } {
  const most = documents.reduce((sum, { choices }) => Math.max(sum, choices.length), 0);
  const fits = ({ mostClasses = Infinity }: Metric): boolean => most <= mostClasses;
  const reason = `f1 of ${most} classes needs an average: write average: macro, micro or weighted beside metric: f1`;
  return {
    metrics: metrics.filter(fits),
    skipped: metrics.filter((m) => !fits(m)).map(({ id }) => ({ task, metric: id, reason })),
  };
}

function documentOf(
  task: Task,
  row: Row,
  examples: readonly Row[],
  tokenizer: TextTokenizer,
  maxLength: number,
  add: (sequence: EncodedSample) => number,
): Document {
  if (task.output_type === 'loglikelihood_rolling') {
    return rollingDocument(exampleOf(task, row).answer, row, tokenizer, maxLength, add);
  }
  const { pairs, choices, golds } = requestsOf(task, row, examples);
  const candidates = pairs.map(([context, continuation]) => ({
    context,
    continuation,
    sequences: [add(encodeContinuation(tokenizer, context, continuation, maxLength, row))],
  }));
  return { row, candidates, choices, golds, written: null };
}

function rollingDocument(
  text: string,
  row: Row,
  tokenizer: TextTokenizer,
  maxLength: number,
  add: (sequence: EncodedSample) => number,
): Document {
  const windows = rollingWindows(harnessIds(tokenizer, text), requirePrefix(tokenizer, row), maxLength);
  return {
    row,
    candidates: [{ context: '', continuation: text, sequences: windows.map(add) }],
    choices: [text],
    golds: [0],
    written: null,
  };
}
