/**
 * Apache Arrow IPC, stream (what `datasets` keeps in its cache and writes by `save_to_disk`) and file (Feather 2): told
 * apart by the first bytes. Batches come one after the other; no more than one is in memory. Rows have no line. Values
 * are what the Parquet reader gives for the same column: 64-bit integers exact, whole floats as `WholeFloat`, dates,
 * times and decimals as Python's, bytes as Base64, dictionaries as what they stand for. To read one more type, write a
 * row in `conversions`.
 */
import { open } from 'node:fs/promises';
import {
  CompressionType,
  compressionRegistry,
  RecordBatchReader,
  TimeUnit,
  Type,
  type Data,
  type DataType,
  type FixedSizeList,
  type RecordBatch,
  type Timestamp,
} from 'apache-arrow';
import { decompress } from 'fzstd';
import { Moment } from '../jinja/moments.ts';
import { float, whole } from '../jinja/numbers.ts';
import { PythonDecimal } from '../jinja/pythonDecimal.ts';
import { duration, timeOfDay, units, zoneNamed, type Unit } from './columnValues.ts';
import { broken, readable, UnsupportedFile, type Reader } from './reader.ts';
import { requireRegularFile } from '../../files/textFile.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

// Columns are views of 8 bytes: what is unpacked begins a buffer of its own.
compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => decompress(data).slice() });
compressionRegistry.set(CompressionType.LZ4_FRAME, {
  decode() {
    throw new UnsupportedFile(
      'its columns are compressed by LZ4, which is not read here; write it uncompressed or with compression="zstd"',
    );
  },
});

export const arrow: Reader = {
  format: 'arrow',
  endings: ['.arrow'],
  async *rows(file, start, end) {
    if (end <= start) return;
    let first = 0;
    for await (const batch of batches(file)) {
      const { fields } = batch.schema;
      const columns = fields.map(({ name }, i) => ({ name, column: batch.getChildAt(i)! }));
      for (let i = Math.max(0, start - first); i < Math.min(batch.numRows, end - first); i += 1) {
        const values = await readable(file, 'Arrow', () =>
          Object.fromEntries(
            columns.map(({ name, column }) => [name, plain(column.get(i), column.type as DataType, name, file)]),
          ),
        );
        yield { values, file, row: first + i, line: null };
      }
      first += batch.numRows;
      if (first >= end) return;
    }
  },
  async count(file) {
    let rows = 0;
    for await (const batch of batches(file)) rows += batch.numRows;
    return rows;
  },
  async columns(file) {
    for await (const batch of batches(file)) return batch.schema.fields.map(({ name }) => name);
    return [];
  },
};

/**
 * The batches of a file, at least an empty one that knows the columns.
 * @throws LayerifError `badData`: not readable as Arrow
 */
async function* batches(file: string): AsyncGenerator<RecordBatch, void, undefined> {
  const handle = await readable(file, 'Arrow', () => {
    requireRegularFile(file); // to open a pipe waits
    return open(file);
  });
  try {
    const reader = await readable(file, 'Arrow', async () => (await RecordBatchReader.from(handle)).open());
    if ((reader.schema as unknown) === undefined)
      throw broken(file, undefined, 'the file is not readable as Arrow: it holds no schema; it is empty or cut off');
    for (;;) {
      const next = await readable(file, 'Arrow', () => reader.next());
      if (next.done === true) return;
      if (!holds(next.value.data)) {
        const why = `a batch says that it has ${next.value.numRows} rows, its columns hold fewer`;
        throw broken(file, undefined, `the file is not readable as Arrow: ${why}; copy, download or write it again`);
      }
      yield next.value;
    }
  } finally {
    await handle.close();
  }
}

/**
 * Whether the buffers of a column hold as many values as it says: it would give nulls without end. Buffers of nulls
 * alone may be left out.
 */
function holds(data: Data): boolean {
  const { typeId, type, length, stride, nullCount, children } = data;
  const { values, valueOffsets, nullBitmap } = data as unknown as Partial<Record<string, ArrayLike<unknown>>>;
  if (typeId === Type.Null) return true;
  if (nullCount === length && (nullBitmap?.length ?? 0) * 8 >= length) return true;
  if (!children.every(holds)) return false;
  if (typeId === Type.Struct) return children.every((child) => child.length >= length);
  if (typeId === Type.FixedSizeList)
    return children.every((child) => child.length >= length * (type as FixedSizeList).listSize);
  if (valueOffsets !== undefined) return length === 0 || valueOffsets.length > length;
  return values !== undefined && values.length * (typeId === Type.Bool ? 8 : 1) >= length * stride;
}

type Conversion = (value: never, type: DataType, column: string, file: string) => unknown;

const kept: Conversion = (value) => value;
const integer: Conversion = (value: number | bigint) => (typeof value === 'bigint' ? whole(value) : value);
const date: Conversion = (value: number) => new Moment(value, 'date');
/** @param value milliseconds, with a fraction where the unit is smaller */
const timestamp: Conversion = (value: number, type) => {
  const { timezone, unit } = type as Timestamp;
  const ms = Math.floor(value);
  const nanos = Math.round((value - ms) * 1000) * 1000;
  return new Moment(ms, unit === TimeUnit.NANOSECOND ? 'Timestamp' : 'datetime', nanos, zoneNamed(timezone));
};
const bytes: Conversion = (value: Uint8Array) => Buffer.from(value).toString('base64');
/** Of a list, or of a map, whose items are entries. */
const itemType = ({ children }: DataType): DataType => nth(children as { type: DataType }[], 0).type;
const items: Conversion = (value: Iterable<unknown>, type, column, file) =>
  Array.from(value, (item) => plain(item, itemType(type), column, file));

const conversions: Partial<Record<Type, Conversion>> = {
  [Type.Null]: () => null,
  [Type.Bool]: kept,
  [Type.Int]: integer,
  [Type.Time]: (value: number | bigint, type) => timeOfDay(value, unitOf(type)),
  [Type.Duration]: (value: bigint, type) => duration(value, unitOf(type)),
  [Type.Float]: (value: number) => float(value),
  [Type.Decimal]: (words: Uint32Array, type) => decimal(words, (type as unknown as { scale: number }).scale),
  [Type.Utf8]: kept,
  [Type.LargeUtf8]: kept,
  [Type.Utf8View]: kept,
  [Type.Binary]: bytes,
  [Type.LargeBinary]: bytes,
  [Type.BinaryView]: bytes,
  [Type.FixedSizeBinary]: bytes,
  [Type.Date]: date,
  [Type.Timestamp]: timestamp,
  [Type.List]: items,
  [Type.LargeList]: items,
  [Type.FixedSizeList]: items,
  [Type.Struct]: (row: { toJSON(): Record<string, unknown> }, type, column, file) => {
    const values = row.toJSON();
    const children = type.children as { name: string; type: DataType }[];
    return Object.fromEntries(
      children.map((child) => [child.name, plain(values[child.name], child.type, column, file)]),
    );
  },
  [Type.Map]: (pairs: Iterable<[unknown, unknown]>, type, column, file) => {
    const [key, value] = take(itemType(type).children as { type: DataType }[], 2);
    return Object.fromEntries(
      [...pairs].map(([k, v]) => [String(plain(k, key.type, column, file)), plain(v, value.type, column, file)]),
    );
  },
  [Type.Dictionary]: (value: unknown, type, column, file) =>
    plain(value, (type as unknown as { dictionary: DataType }).dictionary, column, file),
};

function plain(value: unknown, type: DataType, column: string, file: string): unknown {
  if (value === null || value === undefined) return null;
  const convert = conversions[type.typeId];
  if (convert === undefined)
    throw broken(
      file,
      undefined,
      `the column "${column}" holds values of Arrow's type ${Type[type.typeId]}, which is not read; write it as a string, number, list or struct`,
    );
  return convert(value as never, type, column, file);
}

/** @param words two's complement, little-endian words of 32 bits */
function decimal(words: Uint32Array, scale: number): PythonDecimal {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return new PythonDecimal(BigInt.asIntN(words.length * 32, unsigned), scale);
}

function unitOf(type: DataType): Unit {
  return nth(units, (type as Timestamp).unit);
}
