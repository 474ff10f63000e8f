/**
 * Comma- and tab-separated values with a header line, as pandas reads them: quoted fields may hold line breaks, a quote
 * within an unquoted field is a character, a column without a name is `Unnamed: 0` (the index that `to_csv` writes), a
 * name that stands twice gets a number. `\n`, `\r\n` and `\r` end a line; a row's line is where it begins. A field that
 * begins with a quote, closes it and goes on keeps its quotes, which pandas drops.
 *
 * Values are of their column's type, as pandas infers it and `datasets` keeps it (csvColumns.ts): "007" is 7, an empty
 * cell None.
 */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Row } from '../types.ts';
import { toUtf8 } from '../../files/utf8.ts';
import { textBytes } from './bytes.ts';
import { columnNames, columnTyping } from './csvColumns.ts';
import { decode, lineBytes, tooLong } from './lines.ts';
import { broken, LARGEST_VALUE_BYTES, readError, type Reader } from './reader.ts';
import { nth } from '../../lists/nth.ts';

/** Rows that decide the types of columns: those of the first table that `datasets` makes. */
const TYPE_SAMPLE_ROWS = 10_000;
/** Rows that show whether the values are separated by another character. */
const DELIMITER_ROWS = 1000;

interface Entry {
  values: string[];
  /** Where the record begins, from 1. */
  line: number;
}

export const csv: Reader = separated('csv', '.csv', ',');
export const tsv: Reader = separated('tsv', '.tsv', '\t');

function separated(format: 'csv' | 'tsv', ending: string, delimiter: string): Reader {
  return {
    format,
    endings: [ending],
    async *rows(file, start, end) {
      if (end <= start) return;
      const table = records(file, delimiter);
      try {
        const header = headerOf(await table.next());
        if (header === null) return;
        const sample: Entry[] = [];
        for await (const entry of bounded(table, DELIMITER_ROWS)) sample.push(entry);
        requireDelimiter(header, sample, delimiter, file);
        let row = 0;
        for await (const entry of joined(sample, table)) {
          if (row >= start) yield toRow(checked(entry, header, row, file), header, file, row);
          row += 1;
          if (row >= end) return;
        }
      } finally {
        await table.return();
      }
    },
    async count(file) {
      const table = records(file, delimiter);
      let count = 0;
      while ((await table.next()).done !== true) count += 1;
      return Math.max(0, count - 1);
    },
    async columns(file) {
      const table = records(file, delimiter);
      try {
        return headerOf(await table.next()) ?? [];
      } finally {
        await table.return();
      }
    },
    async typing(file) {
      const table = records(file, delimiter);
      const rows: string[][] = [];
      let header: string[] = [];
      try {
        header = headerOf(await table.next()) ?? [];
        for await (const { values } of bounded(table, TYPE_SAMPLE_ROWS)) rows.push(values);
      } catch (error) {
        // Rows behind a broken one: said when they are read.
        if (!(error instanceof LayerifError)) throw error;
      } finally {
        await table.return();
      }
      return columnTyping(header, rows);
    },
  };
}

async function* records(file: string, delimiter: string): AsyncGenerator<Entry, void, undefined> {
  const source = Readable.from(decoded(file));
  const parser = parse({
    delimiter,
    bom: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    relax_quotes: true,
    max_record_size: LARGEST_VALUE_BYTES,
    record_delimiter: ['\r\n', '\n', '\r'],
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  // The parser counts a CRLF inside a quoted field as two lines.
  let overcounted = 0;
  let columns = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const breaks = record.flatMap((field) => field.match(/\r\n|\n|\r/g) ?? []);
      overcounted += breaks.filter((lineBreak) => lineBreak === '\r\n').length;
      // A line of nothing but white space is an empty one, where there are several columns.
      if (columns > 1 && record.length === 1 && record.join('').trim() === '') continue;
      columns = Math.max(columns, record.length);
      yield { values: record, line: info.lines - overcounted - breaks.length };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw readError(error, file);
    const { lines, code } = error as CsvError & { lines?: number };
    const line = lines === undefined ? undefined : lines - overcounted;
    if (code === 'CSV_MAX_RECORD_SIZE') throw tooLong(file, line);
    throw broken(
      file,
      line,
      `the line is not valid ${delimiter === ',' ? 'CSV' : 'TSV'}: ${error.message}; a quote inside a quoted field is written twice`,
      error,
    );
  } finally {
    source.destroy();
    parser.destroy();
  }
}

async function* decoded(file: string): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const guarded = async (decodeNext: () => string): Promise<string> => {
    try {
      return decodeNext();
    } catch {
      throw await notText(file);
    }
  };
  for await (const chunk of textBytes(file)) {
    if (chunk.includes(0)) throw await notText(file);
    yield await guarded(() => decoder.decode(chunk, { stream: true }));
  }
  yield await guarded(() => decoder.decode());
}

/** Reads again, by lines, for the line to blame. */
async function notText(file: string): Promise<unknown> {
  let line = 0;
  try {
    for await (const bytes of lineBytes(file)) decode(bytes, file, (line += 1));
  } catch (error) {
    return error;
  }
  return broken(file, line, `the text is not UTF-8, or holds a NUL byte; ${toUtf8('WINDOWS-1252')}`);
}

function headerOf(first: IteratorResult<Entry, void>): string[] | null {
  return first.done === true || first.value === undefined ? null : columnNames(first.value.values);
}

/** What else separates values, with the word for it. */
const delimiters: readonly (readonly [character: string, name: string, type: string])[] = [
  [';', 'semicolons', ''],
  ['\t', 'tabs', ' or give ds_type: tsv'],
  ['|', 'bars', ''],
  [',', 'commas', ' or give ds_type: csv'],
];

/**
 * @throws LayerifError `badData` where a file of one column has another separator in header and rows, the same number
 *   of times
 */
function requireDelimiter(header: readonly string[], rows: readonly Entry[], delimiter: string, file: string): void {
  const [column, ...others] = header;
  if (column === undefined || others.length > 0 || rows.length === 0) return;
  const own = nth(
    delimiters.filter(([character]) => character === delimiter),
    0,
  );
  for (const [character, name, type] of delimiters) {
    const count = (text: string) => text.split(character).length - 1;
    const wanted = count(column);
    if (character === delimiter || wanted === 0) continue;
    if (!rows.every(({ values }) => values.length === 1 && count(nth(values, 0)) === wanted)) continue;
    throw broken(
      file,
      1,
      `the values are separated by ${name} (${JSON.stringify(column)}), not by ${own[1]}; save the file with ${own[1]}${type}`,
    );
  }
}

function checked(entry: Entry, header: string[], row: number, file: string): Entry {
  if (entry.values.length === header.length) return entry;
  throw broken(
    file,
    entry.line,
    `row ${row} has ${entry.values.length} values where the header names ${header.length} columns (${header.join(', ')}); quote a field that holds the separator`,
  );
}

function toRow(entry: Entry, header: string[], file: string, row: number): Row {
  return { values: Object.fromEntries(header.map((name, i) => [name, entry.values[i]])), file, row, line: entry.line };
}

async function* bounded<T>(
  items: AsyncGenerator<T, void, undefined>,
  limit: number,
): AsyncGenerator<T, void, undefined> {
  for (let i = 0; i < limit; i += 1) {
    const next = await items.next();
    if (next.done === true) return;
    yield next.value;
  }
}

async function* joined<T>(first: T[], rest: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  yield* first;
  yield* rest;
}
