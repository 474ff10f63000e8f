/**
 * What stands around a row's own text, as lm-evaluation-harness 0.4.13 writes it: description, few-shot examples,
 * `gen_prefix`, delimiters. `exampleOf` is what is scored, `requestsOf` what an evaluation asks the model; both are
 * made of the same parts.
 */
import type { OutputType, Task } from '../../../protocol/experiment.ts';
import { docOf, rollingText } from './examples.ts';
import type { Doc } from './examples.ts';
import { compileField, fieldText, fieldValue, type Field } from './templates.ts';
import type { Example, Row } from './types.ts';

interface Parts {
  description: Field | null;
  prefix: Field | null;
  /** The task as its few-shot examples are written. */
  shots: Task;
}

const known = new WeakMap<Task, Parts>();

function partsOf(task: Task): Parts {
  const found = known.get(task);
  if (found) return found;
  const field = (key: string, source: string | undefined): Field | null =>
    source === undefined || source === '' ? null : compileField(task.task, key, source);
  const parts = {
    description: field('description', task.description),
    prefix: field('gen_prefix', task.gen_prefix),
    shots: shotsOf(task),
  };
  known.set(task, parts);
  return parts;
}

/** Keys of `fewshot_config` win over those of the task. */
function shotsOf(task: Task): Task {
  const { doc_to_text, doc_to_target, doc_to_choice, gen_prefix, fewshot_delimiter, target_delimiter } =
    task.fewshot_config ?? {};
  const own = { doc_to_text, doc_to_target, doc_to_choice, gen_prefix, fewshot_delimiter, target_delimiter };
  const set = Object.entries(own).filter(([, value]) => value !== undefined);
  return set.length === 0 ? task : { ...task, ...Object.fromEntries(set) };
}

/** Description and few-shot examples that stand before a row's own text. */
export function prefixOf(task: Task, row: Row, examples: readonly Row[]): string {
  const { description, shots } = partsOf(task);
  return (description ? fieldText(description, row) : '') + examples.map((example) => solved(shots, example)).join('');
}

/** One solved example, with the delimiter behind it. */
function solved(task: Task, row: Row): string {
  const doc = docOf(task, row);
  const prefix = genPrefixOf(task, row);
  // An answer without text leaves out every delimiter, as in the harness.
  if (doc.gold === null && doc.target === '') return doc.text + before(doc, prefix, task.target_delimiter) + prefix;
  const delimiter = prefix === '' ? task.target_delimiter : before(doc, prefix, task.target_delimiter);
  return doc.text + delimiter + joined(prefix, doc.target) + task.fewshot_delimiter;
}

/** `gen_prefix` of a row; empty where there is none. */
function genPrefixOf(task: Task, row: Row): string {
  const { prefix } = partsOf(task);
  if (prefix === null) return '';
  const { value } = fieldValue(prefix, row);
  return value === null || value === undefined ? '' : fieldText(prefix, row);
}

const endsInSpace = (text: string): boolean => /\s$/u.test(text);
const beginsWithSpace = (text: string): boolean => /^\s/u.test(text);

/** Between a text and its `gen_prefix`: the delimiter, unless white space is there already. */
function before({ text }: Pick<Doc, 'text'>, prefix: string, delimiter: string): string {
  return prefix === '' || text === '' || endsInSpace(text) || beginsWithSpace(prefix) ? '' : delimiter;
}

/** `gen_prefix` and answer: one space, unless white space is there already. */
function joined(prefix: string, answer: string): string {
  if (prefix === '' || answer === '') return prefix + answer;
  return prefix + (endsInSpace(prefix) || beginsWithSpace(answer) ? '' : ' ') + answer;
}

/**
 * What stands before the answer of a row, but for the delimiter. `text` is that of a choice where the choices are
 * contexts.
 */
function contextOf(task: Task, row: Row, doc: Doc, text: string, front: string): string {
  const prefix = genPrefixOf(task, row);
  return front + text + before({ text }, prefix, doc.choicesAreContexts ? '' : task.target_delimiter) + prefix;
}

/** What stands between context and answer, by output type. */
function delimiterOf(task: Task, row: Row, answer: string): string {
  // The harness puts none here: targets bring their own space.
  if (task.output_type === 'loglikelihood') return '';
  if (task.output_type === 'multiple_choice') return task.target_delimiter;
  const prefix = genPrefixOf(task, row);
  // A generation goes on behind its gen_prefix; the answer follows as in a few-shot example.
  return prefix === ''
    ? task.target_delimiter
    : joined(prefix, answer).slice(prefix.length, -answer.length || undefined);
}

/**
 * What is scored: prompt and gold answer; for `loglikelihood_rolling` the text alone.
 * @param answer default: the gold answer
 */
export function exampleOf(task: Task, row: Row, examples: readonly Row[] = []): Example {
  if (task.output_type === 'loglikelihood_rolling') return { row, prompt: '', answer: rollingText(task, row) };
  const doc = docOf(task, row);
  return answered(task, row, doc, doc.text, doc.target, examples);
}

/** The same row with another choice as its answer. */
export function exampleWithChoice(task: Task, row: Row, choice: string, examples: readonly Row[] = []): Example {
  const doc = docOf(task, row);
  return doc.choicesAreContexts
    ? answered(task, row, doc, choice, doc.target, examples)
    : answered(task, row, doc, doc.text, choice, examples);
}

function answered(task: Task, row: Row, doc: Doc, text: string, answer: string, examples: readonly Row[]): Example {
  const context = contextOf(task, row, doc, text, prefixOf(task, row, examples));
  return { row, prompt: context + delimiterOf(task, row, answer), answer };
}

/** What stands before the answer of a row, few-shot examples included, where a model goes on. */
export function promptOf(task: Task, row: Row, examples: readonly Row[]): string {
  const doc = docOf(task, row);
  return contextOf(task, row, doc, doc.text, prefixOf(task, row, examples));
}

/** What a model is to write for a row: what stands before, and the right answers. */
export function writtenOf(task: Task, row: Row, examples: readonly Row[]): { context: string; targets: string[] } {
  return { context: promptOf(task, row, examples), targets: docOf(task, row).targets };
}

/** What an evaluation asks: continuations of contexts, and which of them are right. */
export interface Requests {
  pairs: [context: string, continuation: string][];
  choices: string[];
  /** Indices of the right ones. */
  golds: number[];
}

/** Requests of the harness for one row; in place of a generation, each right answer as a continuation. */
export function requestsOf(task: Task, row: Row, examples: readonly Row[]): Requests {
  const doc = docOf(task, row);
  const front = prefixOf(task, row, examples);
  return byType[task.output_type as Exclude<OutputType, 'loglikelihood_rolling'>](task, row, doc, front);
}

const byType: Record<
  Exclude<OutputType, 'loglikelihood_rolling'>,
  (task: Task, row: Row, doc: Doc, front: string) => Requests
> = {
  multiple_choice(task, row, doc, front) {
    const choices = doc.choices!;
    const pairs = choices.map((choice): [string, string] =>
      doc.choicesAreContexts
        ? [contextOf(task, row, doc, choice, front), task.target_delimiter + doc.target]
        : [contextOf(task, row, doc, doc.text, front), task.target_delimiter + choice],
    );
    return { pairs, choices, golds: doc.golds };
  },
  loglikelihood: (task, row, doc, front) => ({
    pairs: [[contextOf(task, row, doc, doc.text, front), doc.target]],
    choices: [doc.target],
    golds: [0],
  }),
  generate_until(task, row, doc, front) {
    const context = contextOf(task, row, doc, doc.text, front);
    return {
      pairs: doc.targets.map((target) => [context, delimiterOf(task, row, target) + target]),
      choices: doc.targets,
      golds: doc.targets.map((_, i) => i),
    };
  },
};
