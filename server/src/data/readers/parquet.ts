/**
 * Apache Parquet, every compression of `hyparquet-compressors`. Row groups that a slice does not touch are not read. Rows have
 * no line. Values come as JSON-like values: 64-bit integers as numbers where they are exact, else as bigint; floats that are whole as
 * `WholeFloat`; dates as ISO text.
 */
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { compressors as codecs } from 'hyparquet-compressors';
import { float, whole } from '../jinja/numbers.ts';
import { broken, readError, type Reader } from './reader.ts';

/** A page of nothing but nulls holds no value: its zero bytes are not for a codec, some of which refuse them. */
const compressors: typeof codecs = Object.fromEntries(
  Object.entries(codecs).map(([name, codec]) => [
    name,
    (input: Uint8Array, length: number) => (length === 0 ? new Uint8Array(0) : codec(input, length)),
  ]),
);

export const parquet: Reader = {
  format: 'parquet',
  endings: ['.parquet'],
  async *rows(file, start, end) {
    if (end <= start) return;
    const { buffer, metadata } = await openParquet(file);
    const floats = floatsOf(metadata.schema, 0).place;
    let first = 0;
    for (const group of metadata.row_groups) {
      const last = first + Number(group.num_rows);
      const rowStart = Math.max(start, first);
      const rowEnd = Math.min(end, last);
      if (rowStart < rowEnd) {
        const rows = await guarded(file, () =>
          parquetReadObjects({ file: buffer, metadata, rowStart, rowEnd, compressors }),
        );
        for (const [i, values] of rows.entries()) {
          yield { values: plain(values, floats) as Record<string, unknown>, file, row: rowStart + i, line: null };
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
    for (let i = 1; i < schema.length; i = afterSubtree(schema, i)) names.push(schema[i].name);
    return names;
  },
};

async function openParquet(file: string): Promise<{ buffer: AsyncBuffer; metadata: FileMetaData }> {
  return guarded(file, async () => {
    const buffer = await asyncBufferFromFile(file);
    return { buffer, metadata: await parquetMetadataAsync(buffer) };
  });
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const readable = readError(error, file);
    if (readable !== error) throw readable;
    throw broken(
      file,
      undefined,
      `the file is not readable as Parquet: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

function afterSubtree(schema: FileMetaData['schema'], index: number): number {
  let next = index + 1;
  for (let child = 0; child < (schema[index].num_children ?? 0); child += 1) next = afterSubtree(schema, next);
  return next;
}

/** Where floats stand: everywhere below, nowhere, or by the names of children. */
type Floats = boolean | { [name: string]: Floats };

/** @returns where floats stand below the element at `index`, and the index behind it; lists have the place of their items */
function floatsOf(schema: FileMetaData['schema'], index: number): { place: Floats; next: number } {
  const { type, num_children: children = 0, converted_type: converted, logical_type: logical } = schema[index];
  if (children === 0)
    return { place: type === 'DOUBLE' || type === 'FLOAT' || logical?.type === 'FLOAT16', next: index + 1 };
  const places: Record<string, Floats> = {};
  let next = index + 1;
  for (let child = 0; child < children; child += 1) {
    const { name } = schema[next];
    const below = floatsOf(schema, next);
    places[name] = below.place;
    next = below.next;
  }
  const [only] = Object.values(places);
  const isList = converted === 'LIST' || logical?.type === 'LIST';
  if (isList && typeof only === 'object' && Object.keys(only).length === 1)
    return { place: Object.values(only)[0], next };
  const all = Object.values(places);
  return { place: all.every((place) => place === all[0]) && typeof all[0] === 'boolean' ? all[0] : places, next };
}

function plain(value: unknown, floats: Floats): unknown {
  if (value === undefined) return null; // a list or a struct that is null
  if (typeof value === 'bigint') return whole(value);
  if (typeof value === 'number') return floats === true ? float(value) : value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value))
    return Array.from(value as unknown as Iterable<unknown>, (item) => plain(item, floats));
  if (Array.isArray(value)) return value.map((item) => plain(item, floats));
  if (typeof value === 'object' && value !== null) {
    const below = (name: string): Floats => (typeof floats === 'boolean' ? floats : (floats[name] ?? false));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner, below(name))]));
  }
  return value;
}
