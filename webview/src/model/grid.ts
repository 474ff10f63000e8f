/** Rows of cells with named columns, as CSV (RFC 4180, all digits) and as Markdown (rounded). Pure: no DOM. */
import { MINUS, MISSING, formatNumber } from './format.ts';

export type Cell = string | number | null;

export interface Grid {
  /** What it shows. */
  title: string;
  columns: string[];
  rows: Cell[][];
}

export const gridForms = [
  { id: 'csv', name: 'CSV', of: gridCsv },
  { id: 'md', name: 'Markdown', of: gridMarkdown },
] as const;

/** As it is shown: counts whole, other numbers with three digits. */
export function cellText(cell: Cell): string {
  if (Number.isInteger(cell) && Math.abs(cell as number) < 1e5) return formatInteger(cell as number);
  return typeof cell === 'string' ? cell : cell === null ? MISSING : formatNumber(cell);
}

const formatInteger = (value: number) => `${value < 0 ? MINUS : ''}${Math.abs(value).toLocaleString('en-US')}`;

export function gridCsv({ columns, rows }: Grid): string {
  const quoted = (cell: Cell) => {
    const text = String(cell ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
}

export function gridMarkdown({ title, columns, rows }: Grid): string {
  const escaped = (text: string) => text.replaceAll('|', '\\|').replaceAll(/\r?\n/g, ' ');
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    line(columns),
    line(columns.map((_, column) => (isNumeric(rows, column) ? '--:' : ':--'))),
    ...rows.map((row) => line(row.map(cellText))),
    '',
  ].join('\n');
}

/** Whether a column stands to the right. */
export function isNumeric(rows: readonly Cell[][], column: number): boolean {
  return rows.some((row) => typeof row[column] === 'number');
}
