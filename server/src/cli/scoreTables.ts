/** Tables of scores as people read them in a terminal: what is asked, bars in layer order, what stands out, notes. Pure. */
import { questionWords } from '../../../protocol/scores.ts';
import type { Json, ScoresFile, ScoreTable } from '../../../protocol/scores.ts';
import { drawn } from './chart.ts';
import { bytes, counted, duration, score as number, table as columns } from './format.ts';
import type { Page } from './types.ts';

export function scoresReport(file: ScoresFile, scoresFile: string, page: Page): string {
  const { model, provenance, tables } = file;
  const seconds = Object.values(provenance.seconds).reduce((a, b) => a + b, 0);
  return [
    ...tables.flatMap((table) => [...tableLines(table, model.name, page), '']),
    `Time ${duration(seconds)}, peak memory ${bytes(provenance.peakMemoryBytes)}, ${provenance.device}, ${counted(provenance.threads, 'thread')}.`,
    `Scores ${scoresFile}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function tableLines(table: ScoreTable, model: string, page: Page): string[] {
  const { title, unit, question, higherMeans, texts, options, axes, notes, reference, marks = [], level } = table;
  const direction =
    higherMeans === null ? '' : `, a high value speaks for ${higherMeans === 'keep' ? 'keeping' : 'removing'} it`;
  return [
    `${title}${unit === '' ? '' : ` (${unit})`}, ${model}: ${questionWords[question]}${direction}`,
    [table.source, table.status === 'ours' ? 'our formula' : '', texts ?? 'weights alone', optionWords(options)]
      .filter((part) => part !== '')
      .join('; '),
    '',
    ...(axes.length === 1 ? bars(table, page) : matrix(table)),
    ...(level === undefined ? [] : [`[ ]: where ${Math.round(100 * level)} % of bootstrap samples of the texts fall.`]),
    ...(reference ? [`reference: ${reference.words}`] : []),
    ...marks.map(({ at, words }) => `${words}: ${at.map((i) => axes[0].labels[i] ?? i).join(', ')}`),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

export function optionWords(options: Record<string, Json>): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}

/** Parts that the table has room for; a score of many modules has its parts in the file. */
const MOST_PARTS = 4;

function bars({ axes: [axis], values, intervals, parts = {}, reference }: ScoreTable, page: Page): string[] {
  const known = values.filter((value) => value !== null);
  const high = Math.max(0, ...known);
  const low = Math.min(0, ...known);
  const shown = Object.entries(parts).length <= MOST_PARTS ? Object.entries(parts) : [];
  const words = (value: number | null | undefined) => (value === null || value === undefined ? '-' : number(value));
  const expected = reference?.value;
  const rows = values.map((value, i) => [
    String(axis.labels[i]),
    value === null ? 'undefined' : number(value),
    ...(intervals ? [intervals[i] ? `[${number(intervals[i][0])}, ${number(intervals[i][1])}]` : '-'] : []),
    ...(expected === undefined ? [] : [words(Array.isArray(expected) ? expected[i] : expected)]),
    ...shown.map(([, part]) => words(part[i])),
  ]);
  const head = [
    axis.name,
    'score',
    ...(intervals ? ['interval'] : []),
    ...(expected === undefined ? [] : ['reference']),
    ...shown.map(([name]) => name),
  ];
  const lines = columns(
    [head, ...rows],
    head.map((_, i) => i),
  );
  const room = Math.max(8, Math.max(40, page.width) - Math.max(...lines.map(({ length }) => length)) - 2);
  const left = low === 0 ? 0 : Math.max(1, Math.round((-low / (high - low)) * (room - 1)));
  const right = room - left - (left > 0 ? 1 : 0);
  return lines.map((line, i) => {
    const value = i === 0 ? null : values[i - 1];
    return value === null ? line : `${line}  ${drawn(value, { high, low, left, right })}`.trimEnd();
  });
}

function matrix({ axes: [rows, across], values }: ScoreTable): string[] {
  const width = across.labels.length;
  const body = rows.labels.map((label, r) => [
    String(label),
    ...across.labels.map((_, c) => {
      const value = values[r * width + c];
      return value === null ? '-' : number(value);
    }),
  ]);
  const head = [`${rows.name} \\ ${across.name}`, ...across.labels.map(String)];
  return columns(
    [head, ...body],
    head.map((_, i) => i),
  );
}
