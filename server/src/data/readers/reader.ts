/**
 * What every file format offers. To add a format: write one file beside this one that exports a `Reader`, and add it to
 * the table in `../formats.ts`.
 */
import { open } from 'node:fs/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import type { Row } from '../types.ts';
import { HEAD_BYTES, mistakenFor } from '../../files/mistaken.ts';
import { unreadableReason } from '../../files/reading.ts';
import { ourWords } from '../../text/languageErrors.ts';

/**
 * A line, a JSON value or a CSV record must fit into one string of V8; it also ends what a file unfolds to without end.
 */
export const LARGEST_VALUE_BYTES = 500e6;

/** What a dataset says of its files beside their format. */
export interface ReadOptions {
  /** JSON: the property of the file's one object that holds the rows. */
  field?: string | undefined;
}

/** The values of a row as their columns' types have them. */
export type Typing = (values: Record<string, unknown>) => Record<string, unknown>;

export interface Reader {
  /** The word for `ds_type`. */
  format: DataFormat;
  /** File endings, lower case, with the dot. */
  endings: readonly string[];
  /**
   * Rows `start` (inclusive, from 0) to `end` (exclusive, may be `Infinity`), as far as the file goes. Reads no further
   * than it has to.
   * @throws LayerifError `badData` with file and line where the content is broken.
   */
  rows(file: string, start: number, end: number, options: ReadOptions): AsyncGenerator<Row, void, undefined>;
  count(file: string, options: ReadOptions): Promise<number>;
  /** Column names, from the schema, the header or the first rows. */
  columns(file: string, options: ReadOptions): Promise<string[]>;
  /** Where the file holds no types: what `datasets` makes of the first rows, for all rows. */
  typing?(file: string, options: ReadOptions): Promise<Typing>;
}

export function broken(file: string, line: number | undefined, message: string, cause?: unknown): LayerifError {
  return new LayerifError('badData', message, { place: line === undefined ? { file } : { file, line }, cause });
}

/** A file that is whole, and not read here: why, and what to do. */
export class UnsupportedFile extends Error {}

/** What a library says of forms that it does not have; all else that it says is about bytes that are wrong. */
const NOT_READ =
  /^parquet (?:unsupported|bson|interval|file_path|encrypt)|not supported|unsupported|^Unrecognized type/i;
const DAMAGED = 'its content is cut off or damaged; copy, download or write it again';

function whyNot(error: unknown): string {
  if (error instanceof UnsupportedFile) return error.message;
  const message = error instanceof Error ? ourWords(error) : String(error);
  if (!NOT_READ.test(message) || /undefined|null/.test(message)) return DAMAGED;
  return `${message.replace(/^parquet /, '')}; write it with other settings, or as CSV or JSON`;
}

/** What `work` gives. @throws LayerifError `badData` that names the file and says why it is not readable as `format` */
export async function readable<T>(file: string, format: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = readError(error, file);
    if (known instanceof LayerifError) throw known;
    const head = await headOf(file);
    const reason = mistakenFor(head);
    const why = reason === null ? whyNot(error) : `${reason.what}; ${reason.advice}`;
    throw broken(file, undefined, `the file is not readable as ${format}: ${why}`, error);
  }
}

async function headOf(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Turns an error of the file system into one that says which file and why; other errors pass unchanged. */
export function readError(error: unknown, file: string): unknown {
  const reason = unreadableReason(error);
  return reason === null ? error : broken(file, undefined, `cannot read the data file: ${reason}`, error);
}
