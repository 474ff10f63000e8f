/** A table for statistics: a CSV or TSV file with a header, and its columns as numbers or as groups. */
import fs from 'node:fs';
import path from 'node:path';
import type { TableColumn } from '../../../../protocol/analysis.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { csv, tsv } from '../../data/readers/csv.ts';
import type { Reader } from '../../data/readers/reader.ts';
import { requireRegularFile } from '../../files/textFile.ts';
import type { Levels } from '../../statistics/smoothModel.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';

export interface Table {
  file: string;
  header: string[];
  rows: { cells: Record<string, string>; line: number | null }[];
}

/** Statistics of more rows are out of reach of what is shown of single ones. */
const MOST_ROWS = 100_000;
const MOST_LEVELS = 60;

/** What stands for a value that is not there, as pandas and R write it. */
const missing = new Set(['', 'na', 'nan', 'n/a', 'null', 'none', '<na>']);
const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

/** Names of the columns. @throws LayerifError `badData`, `badRequest` */
export async function readTableHeader(file: string): Promise<string[]> {
  return readerOf(file).columns(file, {});
}

/** @throws LayerifError `badRequest`: another kind of file; `badData`: not there, or no file */
function readerOf(file: string): Reader {
  const reader = [csv, tsv].find(({ endings }) => endings.some((ending) => file.toLowerCase().endsWith(ending)));
  if (!reader)
    throw new LayerifError(
      'badRequest',
      `the table ${file} is neither .csv nor .tsv: save it as one of these, with a header line`,
    );
  try {
    requireRegularFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const beside = didYouMean(path.basename(file), namesBeside(file)) ?? '';
    throw new LayerifError(
      'badData',
      `cannot read the table ${file}: ${code === 'ENOENT' ? `it does not exist${beside}` : message}`,
      { cause: error },
    );
  }
  return reader;
}

/** @throws LayerifError `badData` with file and line */
export async function readTable(file: string): Promise<Table> {
  const reader = readerOf(file);
  const header = await reader.columns(file, {});
  const rows: Table['rows'] = [];
  for await (const { values, line } of reader.rows(file, 0, Infinity, {})) {
    if (rows.length >= MOST_ROWS)
      throw new LayerifError(
        'badData',
        `the table has more than ${MOST_ROWS.toLocaleString('en-US')} rows: take a sample of them`,
        { place: { file } },
      );
    rows.push({ cells: values as Record<string, string>, line });
  }
  if (rows.length < 3)
    throw new LayerifError(
      'badData',
      `the table has ${rows.length} rows below its header: statistics need at least 3`,
      { place: { file } },
    );
  return { file, header, rows };
}

function namesBeside(file: string): string[] {
  try {
    return fs.readdirSync(path.dirname(file));
  } catch {
    return [];
  }
}

const cellOf = (cells: Readonly<Record<string, string>>, name: string) => (cells[name] ?? '').trim();
const isMissing = (cell: string) => missing.has(cell.trim().toLowerCase());

export function columnsOf({ header, rows }: Table): TableColumn[] {
  return header.map((name) => {
    const cells = rows.map((row) => cellOf(row.cells, name));
    const there = cells.filter((cell) => !isMissing(cell));
    const numeric = there.filter((cell) => number.test(cell)).length;
    const kind =
      there.length === 0
        ? 'empty'
        : numeric === there.length
          ? 'numbers'
          : numeric > there.length / 2
            ? 'mixed'
            : 'names';
    return { name, kind, missing: cells.length - there.length, distinct: new Set(there).size };
  });
}

/** @throws LayerifError `badRequest`: no such column */
export function requireColumn({ header, file }: Table, name: string, role: string): void {
  if (header.includes(name)) return;
  const meant = didYouMean(name, header) ?? '';
  throw new LayerifError(
    'badRequest',
    `${role}: ${path.basename(file)} has no column "${name}"${meant}; it has ${listed(header)}`,
  );
}

/**
 * A column's numbers, NaN where a value is missing.
 *
 * @param role what it is wanted for, for messages
 * @throws LayerifError `badData` for a cell that is no number, with row and line
 */
export function numbersOf(table: Table, name: string, role: string, log = false): Float64Array {
  requireColumn(table, name, role);
  const found = Float64Array.from(table.rows, ({ cells, line }, row) => {
    const cell = cellOf(cells, name);
    if (isMissing(cell)) return NaN;
    const value = number.test(cell) ? Number(cell) : NaN;
    const fail = (why: string) =>
      new LayerifError('badData', `row ${row + 1}, column "${name}" (${role}): ${JSON.stringify(cell)} ${why}`, {
        place: { file: table.file, ...(line === null ? {} : { line }) },
      });
    if (!Number.isFinite(value))
      throw fail('is not a number; write a number, or leave the cell empty where there is none');
    if (log && value <= 0) throw fail('has no logarithm; leave the column out of the logarithms, or the cell empty');
    return log ? Math.log(value) : value;
  });
  const known = found.filter((value) => !Number.isNaN(value));
  const fail = (why: string) =>
    new LayerifError('badData', `column "${name}" (${role}) ${why}`, { place: { file: table.file } });
  if (known.length === 0) throw fail('has no value in any row');
  if (known.every((value) => value === known[0]))
    throw fail(`is ${known[0]} in every row: without variance there is nothing to explain or to compare; leave it out`);
  return found;
}

/**
 * A column's groups; -1 where the value is missing.
 *
 * @param edges of a column with numbers: groups from an edge to the next one
 * @throws LayerifError `badData`: one group, or too many
 */
export function levelsOf(table: Table, name: string, role: string, edges?: readonly number[]): Levels {
  requireColumn(table, name, role);
  const cells = edges
    ? binned(numbersOf(table, name, role), edges)
    : table.rows.map(({ cells: own }) => (isMissing(cellOf(own, name)) ? null : cellOf(own, name)));
  const there = [...new Set(cells.filter((cell) => cell !== null))];
  const names = edges
    ? binNames(edges).filter((bin) => there.includes(bin))
    : there.sort(new Intl.Collator('en', { numeric: true }).compare);
  const fail = (why: string) =>
    new LayerifError('badData', `column "${name}" (${role}) ${why}`, { place: { file: table.file } });
  if (names.length === 0) throw fail('has no value in any row');
  if (names.length === 1) throw fail(`has one group, "${names[0]}": a comparison needs at least two`);
  return { name, names, of: Int32Array.from(cells, (cell) => (cell === null ? -1 : names.indexOf(cell))) };
}

/** Of groups that are compared or have a parameter each. @throws LayerifError `badData`: more than can be shown */
export function comparedLevelsOf(table: Table, name: string, role: string, edges?: readonly number[]): Levels {
  const found = levelsOf(table, name, role, edges);
  if (found.names.length <= MOST_LEVELS) return found;
  throw new LayerifError(
    'badData',
    `column "${name}" (${role}) has ${found.names.length} groups, more than ${MOST_LEVELS}: group its numbers by --bins "${name}=EDGE,EDGE,...", or take it as a random effect`,
    { place: { file: table.file } },
  );
}

function binned(values: Float64Array, edges: readonly number[]): (string | null)[] {
  const names = binNames(edges);
  return Array.from(values, (value) =>
    Number.isNaN(value) ? null : (names[edges.filter((edge) => edge <= value).length] ?? null),
  );
}

function binNames(edges: readonly number[]): string[] {
  return [`< ${edges[0]}`, ...edges.slice(1).map((edge, i) => `[${edges[i]}, ${edge})`), `≥ ${edges.at(-1)}`];
}
