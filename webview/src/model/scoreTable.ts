/**
 * From a table of scores to what its tab draws: bars over one axis, a heat map over two, the words that say what is
 * seen, and the same numbers as rows. Everything comes from the table, so that a new score needs nothing here. Pure: no
 * DOM.
 */
import { questionWords } from '../../../protocol/scores.ts';
import type { ScoredRows, ScoreTable } from '../../../protocol/scores.ts';
import { capital, formatNumber } from './format.ts';
import type { Series } from './series.ts';

type Values = readonly (number | null)[];

export interface SeriesScoreChart {
  kind: 'series';
  axis: string;
  slots: string[];
  series: Series[];
  /** One number for all places; a reference for each place is a series. */
  reference: number | undefined;
  /** Places that stand out, and those without a value. */
  marked: number[];
  undefinedAt: number[];
}

export interface HeatScoreChart {
  kind: 'heat';
  rowAxis: string;
  columnAxis: string;
  rows: string[];
  columns: string[];
  /** Row-major. */
  values: Values;
  /** Where the colour saturates; never 0. */
  limit: number;
  marked: number[];
}

/** More axes than two are shown as rows alone. */
export type ScoreChart = SeriesScoreChart | HeatScoreChart | { kind: 'rows' };

/** What the values themselves are called beside their parts. */
export const SCORE = '';

/** @param part name of a part, or `SCORE` */
export function chartOf(table: ScoreTable, part = SCORE): ScoreChart {
  const values = valuesOf(table, part);
  const own = part === SCORE;
  const marked = own ? [...new Set((table.marks ?? []).flatMap(({ at }) => at))].sort((a, b) => a - b) : [];
  const [first, second] = table.axes;
  // Rows of a dataset have no order that a picture could show.
  if (table.axes.length > 2 || !first || table.rows) return { kind: 'rows' };
  if (second) {
    const sizes = values.flatMap((value) => (value === null ? [] : [Math.abs(value)]));
    return {
      kind: 'heat',
      rowAxis: capital(first.name),
      columnAxis: capital(second.name),
      rows: first.labels.map(String),
      columns: second.labels.map(String),
      values,
      limit: sizes.reduce((a, b) => Math.max(a, b), 0) || 1,
      marked,
    };
  }
  const expected = own ? table.reference : undefined;
  const bars: Series = {
    name: own ? table.title : part,
    style: 0,
    mark: 'bars',
    values,
    intervals: own ? table.intervals : undefined,
  };
  const lines: Series[] =
    expected && Array.isArray(expected.value)
      ? [{ name: `reference: ${expected.words}`, style: 1, mark: 'lines', values: expected.value }]
      : [];
  return {
    kind: 'series',
    axis: capital(first.name),
    slots: first.labels.map(String),
    series: [bars, ...lines],
    reference: expected && !Array.isArray(expected.value) ? expected.value : undefined,
    marked,
    undefinedAt: values.flatMap((value, at) => (value === null ? [at] : [])),
  };
}

export const valuesOf = (table: ScoreTable, part: string): Values =>
  part === SCORE ? table.values : (table.parts?.[part] ?? table.values);

/** A table is known by its score, options and needs; two of one score differ by them. */
export const tableKey = ({ score, options, needs }: ScoreTable) => JSON.stringify([score, options, needs]);

/** The table of a key, else the newest of a score, else the first. */
export const chosenTable = (tables: readonly ScoreTable[], chosen: string): ScoreTable | undefined =>
  tables.find((one) => tableKey(one) === chosen) ?? tables.findLast(({ score }) => score === chosen) ?? tables.at(0);

/** "Block Influence, skip_first_token true": options and texts where another table has the same title. */
export function tableName(table: ScoreTable, among: readonly ScoreTable[]): string {
  const alike = among.filter(({ title }) => title === table.title);
  if (alike.length < 2) return table.title;
  const texts = alike.some((other) => other.texts !== table.texts) ? (table.texts ?? '') : '';
  return [table.title, optionText(table.options), texts].filter((part) => part !== '').join(', ');
}

export function optionText(options: ScoreTable['options']): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

export const titleText = ({ title, unit }: ScoreTable) => (unit === '' ? title : `${title} (${unit})`);

/** "which blocks can go: a high value speaks for keeping the layer". */
export function directionText({ question, higherMeans, subject }: ScoreTable): string {
  // A newer LayerIF may ask more questions.
  const asked = questionWords[question] ?? String(question);
  const what = subject.replaceAll('_', ' ');
  if (higherMeans === null) return `${asked}: a high value speaks neither for keeping nor for removing`;
  return `${asked}: a high value speaks for ${higherMeans === 'keep' ? 'keeping' : 'removing'} the ${what}`;
}

/** Name and words of what a reader must know beside the numbers. */
export function factsOf(table: ScoreTable): [name: string, words: string][] {
  const { reference } = table;
  return [
    ['Formula', table.formula],
    ['Source', table.status === 'ours' ? `${table.source}; our formula, not a published one` : table.source],
    ['Options', optionText(table.options) || 'none'],
    ['Texts', table.texts ?? 'none: weights alone'],
    ...(table.level === undefined
      ? []
      : [['Intervals', `on other texts of the same kind, at ${Math.round(100 * table.level)} %`] as [string, string]]),
    ...(reference
      ? [
          [
            'Reference',
            Array.isArray(reference.value) ? reference.words : `${formatNumber(reference.value)}, ${reference.words}`,
          ] as [string, string],
        ]
      : []),
  ];
}

/** Words of the marks at one place. */
export const marksAt = ({ marks = [] }: ScoreTable, at: number): string[] =>
  marks.filter((mark) => mark.at.includes(at)).map(({ words }) => words);

/** What a place is called: "layer 3", or of two axes "layer 3, token 5". */
export function placeText({ axes }: ScoreTable, at: number): string {
  return labelsAt({ axes }, at)
    .map((label, axis) => `${axes[axis]!.name} ${label}`)
    .join(', ');
}

/** The label on each axis of the value at `at`. */
export function labelsAt({ axes }: Pick<ScoreTable, 'axes'>, at: number): (string | number)[] {
  const labels: (string | number)[] = [];
  let rest = at;
  for (const { labels: all } of [...axes].reverse()) {
    labels.unshift(all[rest % all.length]!);
    rest = Math.floor(rest / all.length);
  }
  return labels;
}

export interface ScoreColumn {
  name: string;
  /** One per value; text is shown as it is. */
  cells: readonly (string | number | null)[];
}

/** The numbers as columns: axes, score, interval, p, reference, parts, marks. */
export function columnsOf(table: ScoreTable): ScoreColumn[] {
  const { axes, values, intervals, p, reference, parts = {}, marks = [] } = table;
  const places = values.map((_, at) => labelsAt(table, at));
  return [
    ...axes.map(({ name }, axis) => ({ name, cells: places.map((labels) => labels[axis]!) })),
    ...(table.rows ? dataColumns(table.rows) : []),
    { name: 'score', cells: values },
    ...(intervals
      ? [
          { name: 'low', cells: intervals.map((interval) => interval?.[0] ?? null) },
          { name: 'high', cells: intervals.map((interval) => interval?.[1] ?? null) },
        ]
      : []),
    ...(p ? [{ name: 'p', cells: p }] : []),
    ...(reference
      ? [
          {
            name: 'reference',
            cells: values.map((_, at) => (Array.isArray(reference.value) ? reference.value[at]! : reference.value)),
          },
        ]
      : []),
    ...Object.entries(parts).map(([name, cells]) => ({ name, cells })),
    ...(marks.length > 0 ? [{ name: 'marked', cells: markedCells(table) }] : []),
  ];
}

/** Where the rows of a dataset stand. */
function dataColumns({ files, file, row, line }: ScoredRows): ScoreColumn[] {
  return [
    { name: 'file', cells: file.map((index) => files[index]!) },
    { name: 'row in file', cells: row },
    ...(line.some((number) => number !== null) ? [{ name: 'line', cells: line }] : []),
  ];
}

/** Words of the marks at every place, which a dataset has many of. */
export function markedCells({ values, marks = [] }: ScoreTable): string[] {
  const words = values.map((): string[] => []);
  for (const mark of marks) for (const at of mark.at) words[at]?.push(mark.words);
  return words.map((all) => all.join('; '));
}

export interface ScoreSort {
  column: string;
  descending: boolean;
}

/** Places in the order of a column; undefined values last, ties in the order of the table. Null keeps that order. */
export function orderOf(table: ScoreTable, sort: ScoreSort | null): number[] {
  const places = table.values.map((_, at) => at);
  const cells = sort ? columnsOf(table).find(({ name }) => name === sort.column)?.cells : undefined;
  if (!sort || !cells) return places;
  const sign = sort.descending ? -1 : 1;
  return places.sort((a, b) => {
    const [x, y] = [cells[a]!, cells[b]!];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a - b;
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y) || a - b;
    return sign * String(x).localeCompare(String(y)) || a - b;
  });
}
