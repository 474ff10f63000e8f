/**
 * Apache Parquet, every compression of `hyparquet-compressors`. Row groups that a slice does not touch are not read. Rows have
 * no line. Values come as JSON-like values: 64-bit integers as numbers where they are exact, else as decimal text; dates as ISO text.
 */
import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  type AsyncBuffer,
  type FileMetaData,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { broken, readError, type Reader } from './reader.ts';

export const parquet: Reader = {
  format: 'parquet',
  endings: ['.parquet'],
  async *rows(file, start, end) {
    if (end <= start) return;
    const { buffer, metadata } = await openParquet(file);
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
          yield { values: plain(values) as Record<string, unknown>, file, row: rowStart + i, line: null };
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

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as Iterable<unknown>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}
