/**
 * Rows of data files: found again by their numbers, and written as a file of their own in one of the formats that are
 * written; never over a file that exists.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { columnsOf, formatOf, readRows } from '../../data/formats.ts';
import type { Row } from '../../data/types.ts';
import { writers } from '../../data/writers.ts';
import type { WrittenFormat } from '../../data/writers.ts';
import { cannotWrite, makeFolders } from '../../files/writing.ts';

/** Where a row stands, and by which number it is asked for. */
export interface RowPlace {
  index: number;
  /** Absolute. */
  file: string;
  /** From 0. */
  row: number;
}

/** How the files of a dataset are read. */
export interface FileKind {
  /** In which field of a JSON file the rows stand. */
  field: string | undefined;
  /** Where the endings do not tell. */
  format: DataFormat | undefined;
}

/**
 * File after file, in the order of each; a row that is asked for twice comes twice. Files of no known format have none.
 */
export async function* rowsAt(
  places: readonly RowPlace[],
  kind: FileKind,
): AsyncGenerator<{ index: number; row: Row; columns: string[] }, void, undefined> {
  const byFile = new Map<string, Map<number, number[]>>();
  for (const { index, file, row } of places) {
    const rows = byFile.get(file) ?? new Map<number, number[]>();
    byFile.set(file, rows.set(row, [...(rows.get(row) ?? []), index]));
  }
  for (const [file, rows] of byFile) {
    const format = kind.format ?? formatOf(file);
    if (format === null) continue;
    const source = { path: file, format, field: kind.field };
    const numbers = [...rows.keys()];
    const first = numbers.reduce((a, b) => Math.min(a, b));
    const last = numbers.reduce((a, b) => Math.max(a, b));
    const columns = await columnsOf(source);
    for await (const row of readRows(source, first, last + 1))
      for (const index of rows.get(row.row) ?? []) yield { index, row, columns };
  }
}

export interface WrittenRow {
  values: Record<string, unknown>;
  columns: string[];
}

/** At most so many rows and characters of a new file are shown before it is written. */
const PREVIEW = { rows: 5, characters: 4000 };

/** Beginning of the file that would be written. */
export async function previewOf(format: WrittenFormat, rows: AsyncIterable<WrittenRow>): Promise<string> {
  let text = '';
  let count = 0;
  for await (const row of rows) {
    text += rowText(format, row, count);
    if (++count >= PREVIEW.rows || text.length > PREVIEW.characters) break;
  }
  return text.length > PREVIEW.characters ? `${text.slice(0, PREVIEW.characters)}\u2026` : text;
}

/** @returns how many rows were written @throws LayerifError `badRequest` for a file that exists, `cannotWrite` */
export async function writeRows(file: string, format: WrittenFormat, rows: AsyncIterable<WrittenRow>): Promise<number> {
  const parts: Buffer[] = [];
  for await (const row of rows) parts.push(Buffer.from(rowText(format, row, parts.length)));
  const count = parts.length;
  parts.push(Buffer.from(writers[format].end));
  requireNew(file, file);
  try {
    makeFolders(path.dirname(file));
    writeAtomically(file, parts);
  } catch (error) {
    throw cannotWrite(file, error);
  }
  return count;
}

/** @param named what the user gave, such as `--output rows.csv` @throws LayerifError `badRequest` */
export function requireNew(file: string, named: string): void {
  if (fs.existsSync(file)) throw new LayerifError('badRequest', `${named} exists already: give the name of a new file`);
}

/** STEM + ending, or STEM-2 + ending and so on where that is taken. */
export function freeName(stem: string, ending: string): string {
  for (let n = 1; ; n++) {
    const file = `${stem}${n === 1 ? '' : `-${n}`}${ending}`;
    if (!fs.existsSync(file)) return file;
  }
}

function rowText(format: WrittenFormat, { values, columns }: WrittenRow, at: number): string {
  const writer = writers[format];
  return (at === 0 ? writer.start(columns) : writer.between) + writer.row(values, columns);
}
