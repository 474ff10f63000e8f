/**
 * Reading `*.layerif-scores.json` in the editor: everything that the page draws is checked here, and a fault becomes one readable
 * sentence. No `vscode` here.
 */
import { RESULT_SUFFIX } from '../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../protocol/scores.ts';
import type { ScoresFile } from '../../protocol/scores.ts';

export const isScoresFile = (file: string) => file.endsWith(SCORES_SUFFIX);

/** Path or name of the tables beside a result. */
export const scoresBeside = (result: string) =>
  result.endsWith(RESULT_SUFFIX)
    ? `${result.slice(0, -RESULT_SUFFIX.length)}${SCORES_SUFFIX}`
    : result.replace(/(\.json)?$/, SCORES_SUFFIX);

const AGAIN = 'Measure the scores again to write it.';

/** Text of a scores file -> its tables. Throws an `Error` whose message can be shown as it is. */
export function parseScores(text: string): ScoresFile {
  if (text.trim() === '') throw new Error(`This scores file is empty. ${AGAIN}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This scores file is not valid JSON (${(error as Error).message}). ${AGAIN}`, { cause: error });
  }
  if (!isObject(value) || value.format !== 'layerif-scores')
    throw new Error('This file holds no LayerIF scores: "format" must be "layerif-scores".');
  if (value.version !== 1)
    throw new Error(
      `This scores file has version ${JSON.stringify(value.version)}; this LayerIF reads version 1. Update the extension.`,
    );
  const fault = firstFault(value);
  if (fault) throw new Error(`This scores file is damaged: ${fault}. ${AGAIN}`);
  return value as unknown as ScoresFile;
}

function firstFault(value: Record<string, unknown>): string | null {
  if (!isObject(value.model) || typeof value.model.name !== 'string') return '"model" is missing';
  if (!Array.isArray(value.tables)) return '"tables" is missing';
  for (const [i, table] of value.tables.entries()) {
    const fault = isObject(table) ? tableFault(table) : 'is no table';
    if (fault) return `"tables[${i}]" ${fault}`;
  }
  return null;
}

const texts = ['score', 'title', 'unit', 'source', 'formula', 'status', 'question', 'subject'];

function tableFault(table: Record<string, unknown>): string | null {
  for (const key of texts) if (typeof table[key] !== 'string') return `has no "${key}"`;
  if (!isObject(table.options)) return 'has no "options"';
  if (table.texts !== null && typeof table.texts !== 'string') return 'has no "texts"';
  if (!isList(table.notes, (note) => typeof note === 'string')) return 'has no "notes"';
  if (!isList(table.needs, (need) => typeof need === 'string')) return 'has no "needs"';
  if (!isList(table.axes, isAxis) || table.axes.length === 0) return 'has no "axes"';
  const size = (table.axes as { labels: unknown[] }[]).reduce((product, { labels }) => product * labels.length, 1);
  const isColumn = (column: unknown) => isList(column, isValue) && column.length === size;
  if (!isList(table.values, isValue)) return 'has no "values"';
  if (table.values.length !== size) return `has ${table.values.length} values for ${size} places`;
  const { parts, intervals, p, level, reference, marks } = table;
  if (parts !== undefined && !(isObject(parts) && Object.values(parts).every(isColumn)))
    return '"parts" do not fit the values';
  if (intervals !== undefined && !(isList(intervals, isInterval) && intervals.length === size))
    return '"intervals" do not fit the values';
  if (p !== undefined && !isColumn(p)) return '"p" does not fit the values';
  if (level !== undefined && typeof level !== 'number') return '"level" is no number';
  if (reference !== undefined && !(isObject(reference) && isReference(reference, isColumn)))
    return '"reference" does not fit the values';
  const within = (at: unknown) => typeof at === 'number' && Number.isInteger(at) && at >= 0 && at < size;
  if (marks !== undefined && !isList(marks, (mark) => isObject(mark) && isList(mark.at, within) && isText(mark.words)))
    return '"marks" do not fit the values';
  return null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isValue = (value: unknown) => value === null || typeof value === 'number';
const isList = (value: unknown, fits: (entry: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every(fits);
const isAxis = (axis: unknown) =>
  isObject(axis) && isText(axis.name) && isList(axis.labels, (label) => isText(label) || typeof label === 'number');
const isInterval = (interval: unknown) =>
  interval === null || (isList(interval, (end) => typeof end === 'number') && interval.length === 2);
const isReference = ({ value, words }: Record<string, unknown>, isColumn: (column: unknown) => boolean) =>
  isText(words) && (typeof value === 'number' || isColumn(value));
