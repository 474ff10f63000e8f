/**
 * What an evaluation asks the engine: the documents of every task, each with its candidates as token sequences. One list of sequences
 * serves all tasks and texts, so that the model is read once.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, OutputType, Task } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { encodeContinuation, requirePrefix } from '../../data/continuations.ts';
import { docOf, prefixOf, rollingText } from '../../data/examples.ts';
import { readPlainTexts } from '../../data/plainTexts.ts';
import { defaultValidation, openDataset, readSlice } from '../../data/splits.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import { chosenMetrics } from '../../evaluation/summary.ts';
import type { Metric } from '../../evaluation/metrics.ts';
import { blockWindows, rollingWindows } from '../../evaluation/windows.ts';

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
  gold: number;
}

export interface TaskInput {
  name: string;
  task: Task;
  split: string;
  metrics: Metric[];
  documents: Document[];
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
  tasks: TaskInput[];
  perplexity: PerplexityInput | null;
  /** Absolute paths of all data files. */
  files: string[];
}

export interface EvaluationSelection {
  /** Names of tasks; default: `evaluate.tasks`, else all tasks unless only perplexity is asked for. */
  tasks?: string[] | undefined;
  /** First documents of each task only. */
  limit?: number | undefined;
}

/** @throws LayerifError `badExperiment`, `badData` with file and row, `badRequest` */
export async function evaluationInput(
  experiment: Experiment,
  baseDir: string,
  tokenizer: TextTokenizer,
  maxLength: number,
  selection: EvaluationSelection,
): Promise<EvaluationInput> {
  const input: EvaluationInput = { sequences: [], tasks: [], perplexity: null, files: [] };
  const add = (sequence: EncodedSample): number => input.sequences.push(sequence) - 1;
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
    const dataset = await openDataset(task.dataset, experiment.datasets[task.dataset], baseDir);
    const split = task.test_split ?? task.validation_split ?? (await defaultValidation(dataset, task.training_split));
    const all = await readSlice(dataset, split);
    const rows = selection.limit === undefined ? all : all.slice(0, selection.limit);
    const fewshot = task.num_fewshot === 0 ? [] : await readSlice(dataset, task.fewshot_split ?? task.training_split);
    const documents = rows.map((row) => documentOf(task, row, fewshot, tokenizer, maxLength, add));
    input.files.push(...dataset.files);
    input.tasks.push({ name, task, split, metrics: metricsFor(task), documents, original: all.length });
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
    input.perplexity = { ...section.perplexity, windows, documents };
  }
  return input;
}

function metricsFor(task: Task): Metric[] {
  const asked = task.metric_list?.map((entry) =>
    typeof entry === 'string' ? entry : String((entry as { metric?: unknown }).metric),
  );
  try {
    return chosenMetrics(task.output_type, asked);
  } catch (error) {
    throw new LayerifError('badExperiment', `task "${task.task}": metric_list: ${(error as Error).message}`);
  }
}

/** Requests of the harness for one row, by output type. */
const requests: Record<
  Exclude<OutputType, 'loglikelihood_rolling'>,
  (task: Task, row: Row, prefix: string) => { pairs: [string, string][]; choices: string[]; gold: number }
> = {
  multiple_choice(task, row, prefix) {
    const doc = docOf(task, row);
    const choices = doc.choices!;
    const pairs = choices.map((choice): [string, string] =>
      doc.choicesAreContexts
        ? [prefix + choice, task.target_delimiter + doc.target]
        : [prefix + doc.text, task.target_delimiter + choice],
    );
    return { pairs, choices, gold: doc.gold! };
  },
  // The harness puts no delimiter here.
  loglikelihood(task, row, prefix) {
    const doc = docOf(task, row);
    return { pairs: [[prefix + doc.text, doc.target]], choices: [doc.target], gold: 0 };
  },
  // Nothing is generated: how probable the answer is takes the place.
  generate_until(task, row, prefix) {
    const doc = docOf(task, row);
    return { pairs: [[prefix + doc.text, task.target_delimiter + doc.target]], choices: [doc.target], gold: 0 };
  },
};

function documentOf(
  task: Task,
  row: Row,
  fewshot: readonly Row[],
  tokenizer: TextTokenizer,
  maxLength: number,
  add: (sequence: EncodedSample) => number,
): Document {
  if (task.output_type === 'loglikelihood_rolling') {
    return rollingDocument(rollingText(task, row), row, tokenizer, maxLength, add);
  }
  const { pairs, choices, gold } = requests[task.output_type](task, row, prefixOf(task, row, fewshot));
  const candidates = pairs.map(([context, continuation]) => ({
    context,
    continuation,
    sequences: [add(encodeContinuation(tokenizer, context, continuation, maxLength, row))],
  }));
  return { row, candidates, choices, gold };
}

function rollingDocument(
  text: string,
  row: Row,
  tokenizer: TextTokenizer,
  maxLength: number,
  add: (sequence: EncodedSample) => number,
): Document {
  const windows = rollingWindows(tokenizer.encode(text), requirePrefix(tokenizer, row), maxLength);
  return {
    row,
    candidates: [{ context: '', continuation: text, sequences: windows.map(add) }],
    choices: [text],
    gold: 0,
  };
}
