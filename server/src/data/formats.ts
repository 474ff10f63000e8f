/**
 * The file formats of datasets: which ending belongs to which reader. To add one, write a reader in `readers/` and add
 * a row.
 */
import { stat } from 'node:fs/promises';
import type { DataFormat } from '../../../protocol/experiment.ts';
import type { Row } from './types.ts';
import { unpackedName } from './readers/decompress.ts';
import { readError, type ReadOptions, type Reader } from './readers/reader.ts';
import { json } from './readers/json.ts';
import { csv, tsv } from './readers/csv.ts';
import { arrow } from './readers/arrow.ts';
import { parquet } from './readers/parquet.ts';
import { text } from './readers/text.ts';

export const readers: readonly Reader[] = [json, csv, tsv, parquet, arrow, text];

/** Every ending that is read, for messages and globs. */
export const dataEndings: readonly string[] = readers.flatMap((reader) => reader.endings);

/** A data file and how it is read. */
export interface DataFile extends ReadOptions {
  /** Absolute path. */
  path: string;
  format: DataFormat;
  /**
   * The file whose first rows tell the types of all columns: the first of a dataset, as in `datasets`. Default: the
   * file itself.
   */
  typedBy?: string | undefined;
}

/** The format that a file's ending tells, before that of a compression (`.jsonl.gz`), or null. */
export function formatOf(path: string): DataFormat | null {
  const name = unpackedName(path).toLowerCase();
  return readers.find((reader) => reader.endings.some((ending) => name.endsWith(ending)))?.format ?? null;
}

/**
 * Rows `start` (inclusive, from 0) to `end` (exclusive); a slice of a long file reads only as far as it must, beside
 * the rows that tell the types of columns.
 */
export async function* readRows(file: DataFile, start = 0, end = Infinity): AsyncGenerator<Row, void, undefined> {
  const reader = readerOf(file);
  const first = { ...file, path: file.typedBy ?? file.path };
  const typed = reader.typing && (await remembered('typing', first, () => reader.typing!(first.path, first)));
  for await (const row of reader.rows(file.path, start, end, file))
    yield typed ? { ...row, values: typed(row.values), given: row.values } : row;
}

/** Number of rows. */
export function countRows(file: DataFile): Promise<number> {
  return remembered('count', file, () => readerOf(file).count(file.path, file));
}

/** Column names; cheap: header, schema or the first rows. */
export function columnsOf(file: DataFile): Promise<string[]> {
  return remembered('columns', file, () => readerOf(file).columns(file.path, file));
}

const known = new Map<string, { stamp: string; value: unknown }>();

/** Computed anew when the file's size or time changed: an editor asks again and again. */
async function remembered<T>(what: string, file: DataFile, compute: () => Promise<T>): Promise<T> {
  const key = JSON.stringify([what, file.format, file.field, file.path]);
  const { size, mtimeMs } = await stat(file.path).catch((error: unknown) => {
    throw readError(error, file.path);
  });
  const stamp = `${size}:${mtimeMs}`;
  const found = known.get(key);
  if (found?.stamp === stamp) return found.value as T;
  const value = await compute();
  known.set(key, { stamp, value });
  return value;
}

function readerOf(file: DataFile): Reader {
  return readers.find((reader) => reader.format === file.format)!;
}
