/**
 * A row -> a sample of a user's graph: token ids as for every other model, or for classifiers the text alone with the
 * index of its class, and arrays for the inputs that are no tokens (arrays.ts).
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { GraphInput, Task } from '../../../protocol/experiment.ts';
import { arrayOf } from './arrays.ts';
import { exampleOf, prefixOf } from './context.ts';
import { answerOf, choicesOf, promptOf } from './examples.ts';
import { sampleOf } from './samples.ts';
import type { SampleOptions } from './samples.ts';
import { listed } from '../text/listed.ts';
import { didYouMean } from '../text/nearest.ts';
import { placeOf } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Row, Sample } from './types.ts';
import { nth } from '../lists/nth.ts';

/** What a graph asks of the data. */
export interface GraphInputs {
  /** Of the graph, for messages. */
  path: string;
  task: 'causal' | 'classification' | 'encoder';
  /** Whether it takes token ids. */
  tokens: boolean;
  /** Inputs that are no tokens, with their axes; the first is the batch. */
  arrays: readonly { name: string; shape: readonly (number | string)[] }[];
  classes: number;
  /** Names of the classes, where the model has them. */
  names?: readonly string[];
}

/** @throws LayerifError `badData` with file and row */
export async function graphSample(
  task: Task,
  row: Row,
  fewshot: readonly Row[],
  tokenizer: TextTokenizer | null,
  options: SampleOptions,
  graph: GraphInputs,
): Promise<Sample> {
  for (const name of Object.keys(task.inputs ?? {})) requireInput(task, name, graph);
  const arrays: NonNullable<Sample['arrays']> = {};
  for (const { name, shape } of graph.arrays) {
    const input = task.inputs?.[name] ?? { column: name };
    arrays[name] = await arrayOf(row, cellOf(task, row, name, input, graph), input, shape.slice(1), name);
  }
  const filled = graph.arrays.length > 0 ? { arrays } : {};
  if (graph.task === 'causal') return { ...sampleOf(exampleOf(task, row, fewshot), tokenizer!, options), ...filled };
  const classIndex = classOf(task, row, graph);
  const place = { file: row.file, row: row.row, line: row.line };
  if (!graph.tokens)
    return { ...place, text: '', tokens: new Int32Array(0), countedFrom: 0, truncated: false, classIndex, ...filled };
  const text = prefixOf(task, row, fewshot) + promptOf(task, row);
  const tokens = encodedWithin(tokenizer!, text, options.maxLength);
  return { ...place, text, ...tokens, countedFrom: 0, classIndex, ...filled };
}

/** A long text loses its last tokens, but not the special tokens behind it (BERT's [SEP]). */
export function encodedWithin(
  tokenizer: TextTokenizer,
  text: string,
  limit: number,
): Pick<Sample, 'tokens' | 'truncated'> {
  const tokens = tokenizer.encode(text);
  if (tokens.length <= limit) return { tokens, truncated: false };
  const behind = tokens.length - tokenizer.promptLength(text);
  const kept = tokens.slice(0, limit);
  kept.set(tokens.slice(tokens.length - behind), limit - behind);
  return { tokens: kept, truncated: true };
}

function requireInput(task: Task, name: string, graph: GraphInputs): void {
  const names = graph.arrays.map((input) => input.name);
  if (names.includes(name)) return;
  throw new LayerifError(
    'badData',
    `task "${task.task}": inputs.${name} is no input of ${graph.path} that the data fill; ${names.length > 0 ? `these are ${listed(names)}${didYouMean(name, names)}` : 'it takes tokens alone'}`,
  );
}

function cellOf(task: Task, row: Row, name: string, { column }: GraphInput, graph: GraphInputs): unknown {
  if (Object.hasOwn(row.values, column)) return row.values[column];
  const columns = Object.keys(row.values);
  throw new LayerifError(
    'badData',
    `task "${task.task}": input "${name}" of ${graph.path} takes the column "${column}", which row ${row.row} does not have; columns: ${listed(columns)}${didYouMean(column, columns)}; say which with inputs: { ${name}: { column: ... } }`,
    { place: placeOf(row) },
  );
}

/**
 * Index of the class. With choices: the class of the gold choice's name where the choices are the model's names of its
 * classes, in whatever order, else the gold choice's index. Without: a whole number, or the name of a class.
 */
function classOf(task: Task, row: Row, { classes, names = [], path }: GraphInputs): number {
  const choices = choicesOf(task, row);
  const answer = answerOf(task, row, choices);
  const byName = (name: string): number => {
    const exact = names.indexOf(name);
    return exact >= 0 ? exact : names.findIndex((other) => other.toLowerCase() === name.trim().toLowerCase());
  };
  const named = (choices ?? []).map(byName);
  if (choices !== null && typeof answer === 'number' && named.every((index) => index >= 0)) return nth(named, answer);
  const number = typeof answer === 'number' ? answer : /^\s*\d+\s*$/.test(answer) ? Number(answer) : NaN;
  const label = Number.isNaN(number) && typeof answer === 'string' ? byName(answer) : number;
  const fits = choices === null || choices.length === classes;
  if (fits && Number.isInteger(label) && label >= 0 && label < classes) return label;
  const known = names.length > 0 ? ` (${listed(names)})` : '';
  const advice =
    choices === null
      ? `give doc_to_target a column of whole numbers${known === '' ? '' : ' or of these names'}, or list the names of the classes as doc_to_choice`
      : `doc_to_choice lists ${choices.length}; list the names of all classes`;
  throw new LayerifError(
    'badData',
    `task "${task.task}": the class of row ${row.row} is ${JSON.stringify(answer)}; ${path} has ${classes} classes, 0 to ${classes - 1}${known}: ${advice}`,
    { place: placeOf(row) },
  );
}
