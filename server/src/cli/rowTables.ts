/**
 * Tables of scores of rows as people read them in a terminal: how the values lie, which rows are highest and lowest,
 * which the rule of the score leaves out, and how far the scores agree. Pure.
 */
import { factLevels, questionWords } from '../../../protocol/scores.ts';
import type { ScoresFile, ScoreTable } from '../../../protocol/scores.ts';
import { quartiles } from '../run/scores/quartiles.ts';
import { rowAgreements } from '../run/scores/rowAgreement.ts';
import { counted, score as number, table as columns } from './format.ts';
import { optionWords } from './optionWords.ts';
import { nth } from '../lists/nth.ts';

/** Rows that are shown from either end. */
const SHOWN = 5;

export function rowTableLines(table: ScoreTable): string[] {
  const { title, unit, question, higherMeans, source, status, texts, options, values, marks = [], notes } = table;
  const direction =
    higherMeans === null ? '' : `, a high value speaks for ${higherMeans === 'keep' ? 'keeping' : 'removing'} the row`;
  const order = values.map((_, row) => row).filter((row) => values[row] !== null);
  order.sort((a, b) => values[b]! - values[a]! || a - b);
  const ends = order.length > 2 * SHOWN ? [order.slice(0, SHOWN), order.slice(-SHOWN)] : [order];
  const known = order.map((row) => values[row]!);
  return [
    `${title}${unit === '' ? '' : ` (${unit})`}: ${questionWords[question]}${direction}`,
    [source, status === 'ours' ? 'our formula' : '', texts ?? '', optionWords(options)]
      .filter((part) => part !== '')
      .join('; '),
    '',
    ...(known.length === 0
      ? ['no row has a value']
      : [
          `${counted(known.length, 'row')} of ${values.length} with a value; quartiles ${quartiles(known).map(number).join(', ')}`,
          ...ends.flatMap((rows, end) => [
            ...(ends.length === 1 ? [] : [end === 0 ? 'highest:' : 'lowest:']),
            ...rowLines(table, rows),
          ]),
        ]),
    ...levelLines(table),
    ...marks.map(
      ({ at: rows, words, drop }) =>
        `${drop ? 'left out by a selection: ' : ''}${words}: ${counted(rows.length, 'row')}`,
    ),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

function rowLines(table: ScoreTable, rows: readonly number[]): string[] {
  const parts = Object.entries(table.parts ?? {});
  const cell = (value: number | null) => (value === null ? '-' : number(value));
  const intervals = table.intervals ?? null;
  const body = rows.map((row) => [
    placeOfRow(table, row),
    cell(nth(table.values, row)),
    ...(intervals ? [intervals[row]?.map(number).join(' to ') ?? '-'] : []),
    ...parts.map(([, part]) => cell(nth(part, row))),
  ]);
  const head = [
    'row',
    'score',
    ...(intervals ? [`${100 * (table.level ?? 0)} %`] : []),
    ...parts.map(([name]) => name),
  ];
  return columns([head, ...body], head.map((_, i) => i).slice(1)).map((line) => `  ${line}`);
}

/** Of facts: how many of each relation are of each level. */
function levelLines({ subject, axes, parts }: ScoreTable): string[] {
  const { groups } = axes[0] ?? {};
  const { level: levels } = parts ?? {};
  if (subject !== 'fact' || !groups || !levels) return [];
  const body = [...new Set(groups)].map((relation) => {
    const own = levels.filter((_, row) => groups[row] === relation);
    return [relation || '-', ...factLevels.map((level) => String(own.filter((one) => one === level).length))];
  });
  const head = ['facts of level', ...factLevels.map(String)];
  return columns([head, ...body], head.map((_, i) => i).slice(1)).map((line) => `  ${line}`);
}

/** "data/reviews.jsonl:12", or the number of the row where the format has no lines. */
export function placeOfRow({ rows }: ScoreTable, row: number): string {
  if (!rows) return String(row);
  const line = rows.line[row];
  return `${rows.files[nth(rows.file, row)]}${line === null ? ` row ${rows.row[row]}` : `:${line}`}`;
}

/** How far the scores of the same rows agree, where there are two or more. */
export function rowAgreementLines({ tables }: Pick<ScoresFile, 'tables'>): string[] {
  const pairs = rowAgreements(tables);
  if (pairs.length === 0) return [];
  const head = ['rows: how far scores agree', 'Spearman', 'highest tenth shared', 'by chance'];
  const body = pairs.map(({ a, b, spearman, shared, k, chance }) => [
    `${a} and ${b}`,
    spearman === null ? '-' : number(spearman),
    `${shared} of ${k}`,
    number(chance * k),
  ]);
  return [...columns([head, ...body], [1, 2, 3]), ''];
}
