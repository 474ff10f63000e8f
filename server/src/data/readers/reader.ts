/**
 * What every file format offers. To add a format: write one file beside this one that exports a `Reader`, and add it to the
 * table in `../formats.ts`.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DataFormat } from '../../../../protocol/experiment.ts';
import type { Row } from '../types.ts';

export interface Reader {
  /** The word for `ds_type`. */
  format: DataFormat;
  /** File endings, lower case, with the dot. */
  endings: readonly string[];
  /**
   * Rows `start` (inclusive, from 0) to `end` (exclusive, may be `Infinity`), as far as the file goes. Reads no further than it has to.
   * @throws LayerifError `badData` with file and line where the content is broken.
   */
  rows(file: string, start: number, end: number): AsyncGenerator<Row, void, undefined>;
  count(file: string): Promise<number>;
  /** Column names, from the schema, the header or the first rows. */
  columns(file: string): Promise<string[]>;
}

/** Rows that are looked at where a format has neither schema nor header. */
export const COLUMN_SAMPLE_ROWS = 50;

export async function columnsOfFirstRows(reader: Pick<Reader, 'rows'>, file: string): Promise<string[]> {
  const names = new Set<string>();
  for await (const row of reader.rows(file, 0, COLUMN_SAMPLE_ROWS)) {
    for (const name of Object.keys(row.values)) names.add(name);
  }
  return [...names];
}

export function broken(file: string, line: number | undefined, message: string, cause?: unknown): LayerifError {
  return new LayerifError('badData', message, { place: line === undefined ? { file } : { file, line }, cause });
}

/** Turns an error of the file system into one that says which file and why; other errors pass unchanged. */
export function readError(error: unknown, file: string): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const reasons: Record<string, string> = {
    ENOENT: 'it does not exist',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a folder',
    EIO: 'the disk reports a read error',
  };
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : broken(file, undefined, `cannot read the data file: ${reason}`, error);
}
