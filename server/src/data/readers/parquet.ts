/**
 * Apache Parquet, every compression of `hyparquet-compressors`. Row groups that a slice does not touch are not read.
 * Rows have no line. Values come as JSON-like values: 64-bit integers as numbers where they are exact, else as bigint;
 * floats that are whole as `WholeFloat`; dates and timestamps as Python's.
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
import { float, whole } from '../jinja/numbers.ts';
import { readable, type Reader } from './reader.ts';
import { nth } from '../../lists/nth.ts';

/** A page of nothing but nulls holds no value: its zero bytes are not for a codec, some of which refuse them. */
const compressors: typeof codecs = Object.fromEntries(
  Object.entries(codecs).map(([name, codec]) => [
    name,
    (input: Uint8Array, length: number) => (length === 0 ? new Uint8Array(0) : codec(input, length)),
  ]),
);

const micros = (value: bigint): Moment => {
  const ms = value / 1000n - (value % 1000n < 0n ? 1n : 0n);
  return new Moment(Number(ms), 'datetime', Number(value - ms * 1000n));
};
const parsers: Partial<ParquetParsers> = {
  dateFromDays: (days) => date(days),
  timestampFromMilliseconds: (ms) => given(ms, (value) => new Moment(Number(value))),
  timestampFromMicroseconds: (value) => given(value, micros),
  timestampFromNanoseconds: (nanos) => given(nanos, (value) => micros(value / 1000n)),
};

/** A cell that is null comes as undefined. */
function given(value: bigint | undefined, make: (value: bigint) => Moment): Moment | undefined {
  return value === undefined ? undefined : make(value);
}

function date(days: number | undefined): Moment | undefined {
  return days === undefined ? undefined : new Moment(days * 86_400_000, 'date');
}

export const parquet: Reader = {
  format: 'parquet',
  endings: ['.parquet'],
  async *rows(file, start, end) {
    if (end <= start) return;
    const { buffer, metadata } = await openParquet(file);
    const leaves = leavesOf(metadata.schema, 0).place;
    let first = 0;
    for (const group of metadata.row_groups) {
      const last = first + Number(group.num_rows);
      const rowStart = Math.max(start, first);
      const rowEnd = Math.min(end, last);
      if (rowStart < rowEnd) {
        const rows = await readable(file, 'Parquet', () =>
          parquetReadObjects({ file: buffer, metadata, rowStart, rowEnd, compressors, parsers }),
        );
        for (const [i, values] of rows.entries()) {
          yield { values: plain(values, leaves) as Record<string, unknown>, file, row: rowStart + i, line: null };
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

/** What of a column's type its values do not tell: floats, and timestamps that are in UTC. */
type Leaf = 'float' | 'utc' | 'plain';
/** The same everywhere below, or by the names of children. */
type Leaves = Leaf | ((name: string) => Leaves);

interface Below {
  place: Leaves;
  /** Those of the children, in order. */
  children: Leaves[];
  /** Index behind the element and all below it. */
  next: number;
}

/** Leaves below the element at `index`: lists have those of their items, maps those of their values. */
function leavesOf(schema: FileMetaData['schema'], index: number): Below {
  const { type, num_children: count = 0, converted_type: converted, logical_type: logical } = nth(schema, index);
  if (count === 0) {
    const isFloat = type === 'DOUBLE' || type === 'FLOAT' || logical?.type === 'FLOAT16';
    const isUtc = logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC;
    return { place: isFloat ? 'float' : isUtc ? 'utc' : 'plain', children: [], next: index + 1 };
  }
  const below: Below[] = [];
  const places = new Map<string, Leaves>();
  let next = index + 1;
  for (let child = 0; child < count; child += 1) {
    const found = leavesOf(schema, next);
    below.push(found);
    places.set(nth(schema, next).name, found.place);
    next = found.next;
  }
  const children = below.map(({ place }) => place);
  // Lists and maps stand around a repeated group: of the item, or of key and value.
  const [item, value, ...others] = nth(below, 0).children;
  if ((converted === 'LIST' || logical?.type === 'LIST') && item !== undefined && value === undefined)
    return { place: item, children, next };
  if ((converted === 'MAP' || logical?.type === 'MAP') && value !== undefined && others.length === 0)
    return { place: typeof value === 'string' ? value : () => value, children, next };
  const [first] = children;
  const alike = typeof first === 'string' && children.every((place) => place === first);
  return { place: alike ? first : (name) => places.get(name) ?? 'plain', children, next };
}

function plain(value: unknown, leaves: Leaves): unknown {
  if (value === undefined) return null; // a list or a struct that is null
  if (typeof value === 'bigint') return whole(value);
  if (typeof value === 'number') return leaves === 'float' ? float(value) : value;
  if (value instanceof Moment) return leaves === 'utc' ? value.inUtc() : value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as Iterable<unknown>, (item) => plain(item, leaves));
  if (Array.isArray(value)) return value.map((item) => plain(item, leaves));
  if (typeof value === 'object' && value !== null) {
    const below = (name: string): Leaves => (typeof leaves === 'string' ? leaves : leaves(name));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, below(name))]));
  }
  return value;
}
