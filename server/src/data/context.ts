/**
 * What stands around a row's own text, as lm-evaluation-harness 0.4.13 writes it: system instruction, description,
 * few-shot examples, `gen_prefix`, delimiters. All of it is turns, which stand one behind the other or are rendered by
 * the model's chat template. `exampleOf` is what is scored, `requestsOf` what an evaluation asks the model; both are
 * made of the same parts.
 */
import type { OutputType, Task } from '../../../protocol/experiment.ts';
import { conversationIn, docOf, rollingText } from './examples.ts';
import type { Doc } from './examples.ts';
import { hasTemplate, renderedTurns, renderedWhole, usesChat } from './chatTurns.ts';
import type { Turn } from './chatTurns.ts';
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

/** System instruction, description and few-shot examples that stand before a row's own text. */
function frontOf(task: Task, row: Row, examples: readonly Row[]): Turn[] {
  const { description, shots } = partsOf(task);
  const about = description ? fieldText(description, row) : '';
  const system = joined(task.system_instruction ?? '', about, task.fewshot_delimiter);
  return [
    ...(system === '' ? [] : [{ role: 'system' as const, content: system, delimiter: '' }]),
    ...examples.flatMap((example) => solved(shots, example)),
  ];
}

/** The same as text. */
export function prefixOf(task: Task, row: Row, examples: readonly Row[]): string {
  return textOfTurns(frontOf(task, row, examples));
}

function textOfTurns(turns: readonly Turn[]): string {
  return turns.map(({ content, delimiter }) => content + delimiter).join('');
}

/** One solved example, with the delimiter behind it. */
function solved(task: Task, row: Row): Turn[] {
  const doc = docOf(task, row);
  const prefix = genPrefixOf(task, row);
  const user = (delimiter: string): Turn => ({ role: 'user', content: doc.text, delimiter });
  // An answer without text leaves out every delimiter, as in the harness.
  if (doc.gold === null && doc.target === '') {
    const open: Turn[] = prefix === '' ? [] : [{ role: 'assistant', content: prefix, delimiter: '' }];
    return [user(before(doc, prefix, task.target_delimiter)), ...open];
  }
  const delimiter = prefix === '' ? task.target_delimiter : before(doc, prefix, task.target_delimiter);
  const answer = joined(prefix, doc.target, ' ');
  return [user(delimiter), { role: 'assistant', content: answer, delimiter: task.fewshot_delimiter }];
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

/** Two texts and what stands between them, unless white space is there already or one is empty. */
function joined(one: string, other: string, delimiter: string): string {
  if (one === '' || other === '') return one + other;
  return one + (endsInSpace(one) || beginsWithSpace(other) ? '' : delimiter) + other;
}

/**
 * What stands before the answer of a row, but for the delimiter. `text` is that of a choice where the choices are
 * contexts. A conversation in place of the text stands as it is.
 */
function contextOf(task: Task, row: Row, doc: Doc, text: string, front: readonly Turn[]): string {
  const prefix = genPrefixOf(task, row);
  const delimiter = before({ text }, prefix, doc.choicesAreContexts ? '' : task.target_delimiter);
  const open: Turn[] = prefix === '' ? [] : [{ role: 'assistant', content: prefix, delimiter: '' }];
  if (!usesChat(task)) return textOfTurns([...front, { role: 'user', content: text, delimiter }, ...open]);
  const messages = conversationIn(task, row) ?? [{ role: 'user', content: text }];
  return renderedTurns(task, row, front, messages, open);
}

/** What stands between context and answer, by output type. */
function delimiterOf(task: Task, row: Row, answer: string): string {
  // The harness puts none here: targets bring their own space.
  if (task.output_type === 'loglikelihood') return '';
  if (task.output_type === 'multiple_choice') return choiceDelimiter(task);
  const prefix = genPrefixOf(task, row);
  // A generation goes on behind its gen_prefix; the answer follows as in a few-shot example.
  if (prefix === '') return usesChat(task) ? '' : task.target_delimiter;
  return joined(prefix, answer, ' ').slice(prefix.length, -answer.length || undefined);
}

/** Behind a chat template's header of an answer stands none; behind the beginning of an answer one may be needed. */
function choiceDelimiter(task: Task): string {
  if (!usesChat(task)) return task.target_delimiter;
  const prefix = task.gen_prefix ?? '';
  return prefix === '' || endsInSpace(prefix) ? '' : task.target_delimiter;
}

/**
 * What is scored: prompt and gold answer; for `loglikelihood_rolling` the text alone.
 * @param answer default: the gold answer
 */
export function exampleOf(task: Task, row: Row, examples: readonly Row[] = []): Example {
  if (task.output_type === 'loglikelihood_rolling') return rollingExample(task, row);
  const doc = docOf(task, row);
  return answered(task, row, doc, doc.text, doc.target, examples);
}

/** A text alone, or a conversation as the chat template renders it. */
function rollingExample(task: Task, row: Row): Example {
  const messages = usesChat(task) ? conversationIn(task, row) : null;
  if (messages === null) return { row, prompt: '', answer: rollingText(task, row) };
  return { row, prompt: '', answer: renderedWhole(task, row, messages), rendered: true };
}

/** The same row with another choice as its answer. */
export function exampleWithChoice(task: Task, row: Row, choice: string, examples: readonly Row[] = []): Example {
  const doc = docOf(task, row);
  return doc.choicesAreContexts
    ? answered(task, row, doc, choice, doc.target, examples)
    : answered(task, row, doc, doc.text, choice, examples);
}

function answered(task: Task, row: Row, doc: Doc, text: string, answer: string, examples: readonly Row[]): Example {
  const context = contextOf(task, row, doc, text, frontOf(task, row, examples));
  const prompt = context + delimiterOf(task, row, answer);
  return { row, prompt, answer, ...(usesChat(task) ? { rendered: true } : {}) };
}

/** What stands before the answer of a row, few-shot examples included, where a model goes on. */
export function promptOf(task: Task, row: Row, examples: readonly Row[]): string {
  const doc = docOf(task, row);
  return contextOf(task, row, doc, doc.text, frontOf(task, row, examples));
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
  const front = frontOf(task, row, examples);
  return byType[task.output_type as Exclude<OutputType, 'loglikelihood_rolling'>](task, row, doc, front);
}

const byType: Record<
  Exclude<OutputType, 'loglikelihood_rolling'>,
  (task: Task, row: Row, doc: Doc, front: readonly Turn[]) => Requests
> = {
  multiple_choice(task, row, doc, front) {
    const choices = doc.choices!;
    const delimiter = choiceDelimiter(task);
    const pairs = choices.map((choice): [string, string] =>
      doc.choicesAreContexts
        ? [contextOf(task, row, doc, choice, front), delimiter + doc.target]
        : [contextOf(task, row, doc, doc.text, front), delimiter + choice],
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

/** To be shown without a model: a task whose chat template is not at hand has its turns as plain text. */
export function shownTask(task: Task): Task {
  return !usesChat(task) || hasTemplate(task) ? task : { ...task, apply_chat_template: undefined };
}
