/**
 * Apache Parquet, every compression of `hyparquet-compressors`. Row groups that a slice does not touch are not read.
 * Rows have no line. Values come as JSON-like values: 64-bit integers as numbers where they are exact, else as bigint;
 * floats that are whole as `WholeFloat`; dates, times and decimals as Python's (parquetTypes.ts).
 */
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  type AsyncBuffer,
  type FileMetaData,
  type ParquetParsers,
} from 'hyparquet';
import { compressors as codecs } from 'hyparquet-compressors';
import { requireRegularFile } from '../../files/textFile.ts';
import { Moment } from '../jinja/moments.ts';
import { nanoTime } from './columnValues.ts';
import { asStored, leavesOf, plain } from './parquetTypes.ts';
import { readable, type Reader } from './reader.ts';
import { nth } from '../../lists/nth.ts';

/** A page of nothing but nulls holds no value: its zero bytes are not for a codec, some of which refuse them. */
const compressors: typeof codecs = Object.fromEntries(
  Object.entries(codecs).map(([name, codec]) => [
    name,
    (input: Uint8Array, length: number) => (length === 0 ? new Uint8Array(0) : codec(input, length)),
  ]),
);

const parsers: Partial<ParquetParsers> = {
  dateFromDays: (days) => (days === undefined ? undefined : new Moment(days * 86_400_000, 'date')),
  timestampFromMilliseconds: (ms) => given(ms, (value) => new Moment(Number(value))),
  timestampFromMicroseconds: (value) => given(value, (micros) => nanoTime(micros * 1000n)),
  timestampFromNanoseconds: (nanos) => given(nanos, (value) => nanoTime(value).ofPandas()),
};

/** A cell that is null comes as undefined. */
function given(value: bigint | undefined, make: (value: bigint) => Moment): Moment | undefined {
  return value === undefined ? undefined : make(value);
}

export const parquet: Reader = {
  format: 'parquet',
  endings: ['.parquet'],
  async *rows(file, start, end) {
    if (end <= start) return;
    const { buffer, metadata } = await openParquet(file);
    const leaves = await readable(file, 'Parquet', () => leavesOf(metadata));
    const schema = metadata.schema.map(asStored);
    let first = 0;
    for (const group of metadata.row_groups) {
      const last = first + Number(group.num_rows);
      const rowStart = Math.max(start, first);
      const rowEnd = Math.min(end, last);
      if (rowStart < rowEnd) {
        const rows = await readable(file, 'Parquet', () =>
          parquetReadObjects({
            file: buffer,
            metadata: { ...metadata, schema },
            rowStart,
            rowEnd,
            compressors,
            parsers,
            utf8: false,
          }),
        );
        const read = await readable(file, 'Parquet', () => rows.map((values) => plain(values, leaves)));
        for (const [i, values] of read.entries()) {
          yield { values: values as Record<string, unknown>, file, row: rowStart + i, line: null };
        }
      }
      first = last;
      if (first >= end) return;
    }
  },
  async count(file) {
    return Number((await openParquet(file)).metadata.num_rows);
  },
  async columns(file) {
    const { schema } = (await openParquet(file)).metadata;
    const names: string[] = [];
    // The schema is a tree in depth-first order; columns are the children of the root.
    for (let i = 1; i < schema.length; i = afterSubtree(schema, i)) names.push(nth(schema, i).name);
    return names;
  },
};

async function openParquet(file: string): Promise<{ buffer: AsyncBuffer; metadata: FileMetaData }> {
  return readable(file, 'Parquet', async () => {
    requireRegularFile(file);
    const buffer = await asyncBufferFromFile(file);
    return { buffer, metadata: await parquetMetadataAsync(buffer) };
  });
}

function afterSubtree(schema: FileMetaData['schema'], index: number): number {
  let next = index + 1;
  for (let child = 0; child < (nth(schema, index).num_children ?? 0); child += 1) next = afterSubtree(schema, next);
  return next;
}
