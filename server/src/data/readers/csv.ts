/**
 * Comma- and tab-separated values with a header line. Quoted fields may hold line breaks; a row's line is where it begins.
 *
 * A column whose values are all whole numbers, or all decimal numbers, in canonical form is read as numbers (so that `label`
 * indexes a list, as with Hugging Face): rendered back they give the same text, which is why "007" and "1.50" stay text.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { Row } from '../types.ts';
import { broken, readError, type Reader } from './reader.ts';

/** Rows that decide whether a column holds numbers. */
const TYPE_SAMPLE_ROWS = 1000;

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
        const header = checkedHeader(await table.next(), file);
        if (header === null) return;
        const sample: Entry[] = [];
        for await (const entry of bounded(table, TYPE_SAMPLE_ROWS)) sample.push(entry);
        const numeric = header.map((_, column) => isNumeric(sample.map((entry) => entry.values[column] ?? '')));
        let row = 0;
        for await (const entry of joined(sample, table)) {
          if (row >= start) yield toRow(checked(entry, header, row, file), header, numeric, file, row);
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
        return checkedHeader(await table.next(), file) ?? [];
      } finally {
        await table.return();
      }
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
    record_delimiter: ['\r\n', '\n'],
  });
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  // The parser counts a CRLF inside a quoted field as two lines.
  let overcounted = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const breaks = record.flatMap((field) => field.match(/\r\n|\n|\r/g) ?? []);
      overcounted += breaks.filter((lineBreak) => lineBreak === '\r\n').length;
      yield { values: record, line: info.lines - overcounted - breaks.length };
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw readError(error, file);
    const { lines } = error as CsvError & { lines?: number };
    const line = lines === undefined ? undefined : lines - overcounted;
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
  let line = 1;
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      const text = decoder.decode(chunk, { stream: true });
      for (const c of text) if (c === '\n') line += 1;
      yield text;
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError)
      throw broken(
        file,
        undefined,
        `the text is not UTF-8 (after line ${line}); save the file in that encoding`,
        error,
      );
    throw error;
  }
}

function checkedHeader(first: IteratorResult<Entry, void>, file: string): string[] | null {
  if (first.done === true || first.value === undefined) return null;
  const names = first.value.values.map((name) => name.trim());
  const empty = names.indexOf('');
  if (empty >= 0)
    throw broken(file, first.value.line, `column ${empty + 1} has no name in the header (${names.join(', ')})`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw broken(file, first.value.line, `the header names the column "${twice}" twice (${names.join(', ')})`);
  return names;
}

function checked(entry: Entry, header: string[], row: number, file: string): Entry {
  if (entry.values.length === header.length) return entry;
  throw broken(
    file,
    entry.line,
    `row ${row} has ${entry.values.length} values where the header names ${header.length} columns (${header.join(', ')}); quote a field that holds the separator`,
  );
}

function toRow(entry: Entry, header: string[], numeric: boolean[], file: string, row: number): Row {
  const values: Record<string, unknown> = {};
  header.forEach((name, i) => {
    const value = entry.values[i];
    values[name] = numeric[i] && isCanonical(value) ? Number(value) : value;
  });
  return { values, file, row, line: entry.line };
}

function isNumeric(values: string[]): boolean {
  const filled = values.filter((value) => value !== '');
  return filled.length > 0 && filled.every(isCanonical);
}

function isCanonical(value: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(value) && String(Number(value)) === value;
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
