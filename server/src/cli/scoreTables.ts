/**
 * Tables of scores as people read them in a terminal: what is asked, bars in layer order, what stands out, notes. Pure.
 */
import { questionWords } from '../../../protocol/scores.ts';
import type { ScoresFile, ScoreTable } from '../../../protocol/scores.ts';
import { drawn } from './chart.ts';
import { counted, duration, score as number, table as columns } from './format.ts';
import { bytesText } from '../text/bytes.ts';
import { optionWords } from './optionWords.ts';
import { rowAgreementLines, rowTableLines } from './rowTables.ts';
import type { Page } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

export function scoresReport(file: ScoresFile, scoresFile: string, page: Page): string {
  const { model, provenance, tables } = file;
  const seconds = Object.values(provenance.seconds).reduce((a, b) => a + b, 0);
  return [
    ...tables.flatMap((table) => [...(table.rows ? rowTableLines(table) : tableLines(table, model.name, page)), '']),
    ...rowAgreementLines(file),
    ...(file.refused ?? []).map(({ score, message }) => `Not computed: ${score}: ${message}`),
    `Time ${duration(seconds)}, peak memory ${bytesText(provenance.peakMemoryBytes)}, ${provenance.device}, ${counted(provenance.threads, 'thread')}.`,
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
    ...(axes.length === 1 ? bars(table, page) : matrix(table, page)),
    ...(level === undefined ? [] : [`[ ]: on other texts of the same kind, at ${Math.round(100 * level)} %.`]),
    ...(reference ? [`reference: ${reference.words}`] : []),
    ...marks.map(({ at, words }) => `${words}: ${at.map((i) => placeWords(axes, i)).join(', ')}`),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

/** Parts that the table has room for; a score of many modules has its parts in the file. */
const MOST_PARTS = 4;

function bars({ axes, values, intervals, parts = {}, reference }: ScoreTable, page: Page): string[] {
  const axis = nth(axes, 0);
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
    const value = i === 0 ? null : nth(values, i - 1);
    return value === null ? line : `${line}  ${drawn(value, { high, low, left, right })}`.trimEnd();
  });
}

/** "4", or of two axes "4 / 7". */
function placeWords(axes: ScoreTable['axes'], at: number): string {
  const [rows, across] = axes;
  if (across === undefined) return String(rows?.labels[at] ?? at);
  const width = across.labels.length;
  return `${rows?.labels[Math.floor(at / width)]} / ${across.labels[at % width]}`;
}

/** Numbers where the page has room for them, else one shade for each place. */
function matrix({ axes, values }: ScoreTable, page: Page): string[] {
  const [rows, across] = take(axes, 2);
  const width = across.labels.length;
  const body = rows.labels.map((label, r) => [
    String(label),
    ...across.labels.map((_, c) => {
      const value = nth(values, r * width + c);
      return value === null ? '-' : number(value);
    }),
  ]);
  const head = [`${rows.name} \\ ${across.name}`, ...across.labels.map(String)];
  const lines = columns(
    [head, ...body],
    head.map((_, i) => i),
  );
  return Math.max(...lines.map(({ length }) => length)) <= page.width ? lines : shades({ rows, across, values });
}

const SHADES = [' ', '░', '▒', '▓', '█'];

function shades({
  rows,
  across,
  values,
}: {
  rows: ScoreTable['axes'][number];
  across: ScoreTable['axes'][number];
  values: ScoreTable['values'];
}): string[] {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const width = across.labels.length;
  const shade = (value: number | null) => {
    if (value === null) return '··';
    const share = high === low ? 1 : (value - low) / (high - low);
    return nth(SHADES, Math.min(SHADES.length - 1, Math.floor(share * SHADES.length))).repeat(2);
  };
  const room = Math.max(...rows.labels.map((label) => String(label).length));
  return [
    `${rows.name} down, ${across.name} across from ${across.labels[0]} to ${across.labels[width - 1]}:`,
    ...rows.labels.map((label, r) =>
      `${String(label).padStart(room)} ${across.labels.map((_, c) => shade(nth(values, r * width + c))).join('')}`.trimEnd(),
    ),
    `from ${known.length > 0 ? number(low) : '-'} (blank) to ${known.length > 0 ? number(high) : '-'} (█), · = undefined`,
  ];
}
