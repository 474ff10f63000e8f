/**
 * A table of scores as CSV (RFC 4180, all digits) and as Markdown (what it is, rounded numbers, notes). Pure: no DOM.
 */
import type { ScoreTable } from '../../../protocol/scores.ts';
import { MISSING, formatNumber } from './format.ts';
import { columnsOf, directionText, factsOf, titleText } from './scoreTable.ts';

/** Text, file ending and name of each form. */
export const scoreForms = [
  { id: 'csv', name: 'CSV', of: csvOf },
  { id: 'md', name: 'Markdown', of: markdownOf },
] as const;

/** One head line, one line for each value; undefined is empty. */
export function csvOf(table: ScoreTable): string {
  const columns = columnsOf(table);
  const lines = [
    columns.map(({ name }) => name),
    ...table.values.map((_, at) => columns.map(({ cells }) => cells[at] ?? '')),
  ];
  return lines.map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

function quoted(cell: string | number): string {
  const text = String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function markdownOf(table: ScoreTable): string {
  const columns = columnsOf(table);
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    `## ${titleText(table)}`,
    '',
    `${directionText(table)}.`,
    '',
    ...factsOf(table).map(([name, words]) => `- ${name}: ${words}`),
    '',
    line(columns.map(({ name }) => name)),
    line(columns.map(({ cells }) => (cells.some((cell) => typeof cell === 'number') ? '--:' : ':--'))),
    ...table.values.map((_, at) =>
      line(columns.map(({ cells }, column) => cellText(cells[at], column < table.axes.length))),
    ),
    ...table.notes.flatMap((note) => ['', `Note: ${note}`]),
    '',
  ].join('\n');
}

/** Of a label as it is; of a number three digits. */
export function cellText(cell: string | number | null | undefined, label: boolean): string {
  if (cell === null || cell === undefined) return MISSING;
  return typeof cell === 'string' || label ? String(cell) : formatNumber(cell);
}

const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\r?\n/g, ' ');
