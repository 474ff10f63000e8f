/**
 * The header of a GGUF file, versions 2 and 3 (little-endian): typed metadata and where each tensor lies. Format:
 * "GGUF", version, number of tensors, number of metadata entries, entries, tensor descriptions, padding, data. Every
 * length is checked against the file before it is used. Metadata is data: no string of it is ever taken for a path.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { blockTypes, otherTypes } from './dequantize.ts';
import type { BlockType } from './blockType.ts';
import type { ByteSource } from '../files/byteSource.ts';
import { mistakenOr } from '../files/mistaken.ts';
import { headOf, withFile } from './fileBytes.ts';
import { FileCursor } from './fileCursor.ts';
import { printable } from './printable.ts';
import { nth } from '../lists/nth.ts';

export type MetadataValue = string | number | bigint | boolean | MetadataArray;
export type MetadataArray = readonly MetadataValue[] | NumberArray;
type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** What the header needs to know of a number type. */
export type StoredType = Pick<BlockType, 'name' | 'numbers' | 'bytes'>;

export interface GgufTensor<Type = BlockType> {
  /** As llama.cpp calls it. */
  name: string;
  type: Type;
  /** Slowest dimension first, as elsewhere; the file has it the other way round. */
  shape: readonly number[];
  /** Bytes from the start of the file. */
  offset: number;
  byteLength: number;
}

export interface GgufFile<Type = BlockType> {
  file: string;
  version: number;
  metadata: ReadonlyMap<string, MetadataValue>;
  tensors: readonly GgufTensor<Type>[];
}

/** Number types of the metadata by their number in the file. */
const numberTypes: Readonly<
  Record<number, { bytes: number; one(b: Buffer): number | bigint; many(b: ArrayBuffer): NumberArray }>
> = {
  0: { bytes: 1, one: (b) => b.readUInt8(), many: (b) => new Uint8Array(b) },
  1: { bytes: 1, one: (b) => b.readInt8(), many: (b) => new Int8Array(b) },
  2: { bytes: 2, one: (b) => b.readUInt16LE(), many: (b) => new Uint16Array(b) },
  3: { bytes: 2, one: (b) => b.readInt16LE(), many: (b) => new Int16Array(b) },
  4: { bytes: 4, one: (b) => b.readUInt32LE(), many: (b) => new Uint32Array(b) },
  5: { bytes: 4, one: (b) => b.readInt32LE(), many: (b) => new Int32Array(b) },
  6: { bytes: 4, one: (b) => b.readFloatLE(), many: (b) => new Float32Array(b) },
  10: { bytes: 8, one: (b) => safe(b.readBigUInt64LE()), many: (b) => new BigUint64Array(b) },
  11: { bytes: 8, one: (b) => safe(b.readBigInt64LE()), many: (b) => new BigInt64Array(b) },
  12: { bytes: 8, one: (b) => b.readDoubleLE(), many: (b) => new Float64Array(b) },
};
const BOOLEAN = 7;
const STRING = 8;
const ARRAY = 9;

/** Arrays in arrays; no known file goes deeper than one. */
const DEEPEST = 4;
const MOST_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;

/** Reads and checks a header. @throws LayerifError `badModel` that names the file, the place and what is wrong */
export function openGgufFile(file: string): GgufFile {
  return withFile(file, (source) => readGgufHeader(source, { typeOf, shortened: null }));
}

/** How a header is read. */
export interface GgufReading<Type extends StoredType> {
  /** The type with a number; of one that is not known, its name with 0 bytes, or an error. */
  typeOf: (id: number, tensor: string, file: string) => Type;
  /** What stands for a list, by its first elements; the others are passed over. Null: lists are read as a whole. */
  shortened: { elements: number; of: (length: number, first: MetadataArray) => MetadataValue } | null;
}

/** @throws LayerifError `badModel` */
export function readGgufHeader<Type extends StoredType>(
  source: ByteSource,
  { typeOf, shortened }: GgufReading<Type>,
): GgufFile<Type> {
  const { name: file } = source;
  const fail = (what: string): never => {
    throw new LayerifError(
      'badModel',
      `${file} is not a usable GGUF file: ${mistakenOr(headOf(source), printable(what), 'download it again')}`,
      {
        place: { file },
      },
    );
  };
  const cursor = new FileCursor(source, fail);
  const magic = cursor.bytes(4, 'the magic').toString('latin1');
  if (magic !== 'GGUF') fail(`it begins with ${JSON.stringify(magic)} instead of "GGUF" (another format)`);
  const version = cursor.u32('the version');
  if (version !== 2 && version !== 3) throw otherKind(file, version);
  const tensorCount = cursor.count('the number of tensors');
  const entryCount = cursor.count('the number of metadata entries');

  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < entryCount; i++) {
    const key = cursor.name(`the name of metadata entry ${i}`);
    if (metadata.has(key)) fail(`metadata entry ${key} stands in it twice`);
    metadata.set(key, readValue(cursor, cursor.u32(`the type of ${key}`), key, 0, fail, shortened));
  }

  const found: { name: string; type: Type; shape: number[]; at: number; byteLength: number }[] = [];
  const names = new Set<string>();
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.name(`the name of tensor ${i}`);
    if (names.has(name)) fail(`tensor ${name} stands in it twice`);
    names.add(name);
    const dimensions = cursor.u32(`the number of dimensions of ${name}`);
    if (dimensions > MOST_DIMENSIONS)
      fail(`tensor ${name} has ${dimensions} dimensions, at most ${MOST_DIMENSIONS} are allowed`);
    const shape: number[] = [];
    for (let k = 0; k < dimensions; k++)
      shape.unshift(Number(cursor.bytes(8, `the shape of ${name}`).readBigUInt64LE()));
    const type = typeOf(cursor.u32(`the type of ${name}`), name, file);
    const at = Number(cursor.bytes(8, `the offset of ${name}`).readBigUInt64LE());
    const row = shape.at(-1) ?? 1;
    if (row % type.numbers !== 0)
      fail(`tensor ${name} has rows of ${row} numbers, no multiple of ${type.name}'s ${type.numbers}`);
    const byteLength = (shape.reduce((product, n) => product * n, 1) / type.numbers) * type.bytes;
    found.push({ name, type, shape, at, byteLength });
  }

  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== 'number' || alignment < 8 || !Number.isInteger(Math.log2(alignment))) {
    return fail(`general.alignment is ${String(alignment)}; it must be a power of two from 8 on`);
  }
  const start = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = found.map(({ at, ...tensor }) => {
    const offset = start + at;
    if (at % alignment !== 0)
      fail(`tensor ${tensor.name} begins at byte ${at} of the data, no multiple of ${alignment}`);
    // Sizes above 2^53 lose their last digits here and still are larger than any file.
    if (offset + tensor.byteLength > cursor.size) {
      fail(
        `tensor ${tensor.name} ends at byte ${offset + tensor.byteLength}, the file at ${cursor.size} (truncated, or the header points outside)`,
      );
    }
    return { ...tensor, offset };
  });
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  for (let i = 1; i < inOrder.length; i++) {
    const before = nth(inOrder, i - 1);
    if (nth(inOrder, i).offset < before.offset + before.byteLength)
      fail(`tensors ${before.name} and ${nth(inOrder, i).name} overlap`);
  }
  return { file, version, metadata, tensors };
}

/** Sound files that need another form. */
function otherKind(file: string, version: number): LayerifError {
  const what =
    version % 65536 === 0
      ? 'is a GGUF file in big-endian byte order, made for machines such as IBM Z; only little-endian files can be read: take the little-endian file of the model, or convert a copy of this one (gguf-py: gguf-convert-endian FILE little)'
      : `has GGUF version ${version}; versions 2 and 3 can be read: take a file that a ${version < 2 ? 'newer' : 'known'} llama.cpp made`;
  return new LayerifError('badModel', `${file} ${what}`, { place: { file } });
}

function readValue(
  cursor: FileCursor,
  type: number,
  key: string,
  depth: number,
  fail: (what: string) => never,
  shortened: GgufReading<StoredType>['shortened'],
): MetadataValue {
  const numbers = Object.hasOwn(numberTypes, type) ? numberTypes[type] : undefined;
  if (numbers) return numbers.one(cursor.bytes(numbers.bytes, key));
  if (type === BOOLEAN) return cursor.bytes(1, key)[0] !== 0;
  if (type === STRING) return cursor.text(key);
  if (type !== ARRAY) return fail(`metadata entry ${key} has the unknown type ${type}`);
  if (depth === DEEPEST) return fail(`metadata entry ${key} nests arrays more than ${DEEPEST} deep`);
  const element = cursor.u32(`the element type of ${key}`);
  const length = cursor.count(`the length of ${key}`);
  const many = Object.hasOwn(numberTypes, element) ? numberTypes[element] : undefined;
  const read = Math.min(length, shortened?.elements ?? length);
  const whole = (values: MetadataArray): MetadataValue => shortened?.of(length, values) ?? values;
  if (many) {
    const bytes = cursor.bytes(read * many.bytes, key);
    const values = many.many(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
    cursor.skip((length - read) * many.bytes, key);
    return whole(values);
  }
  const values: MetadataValue[] = [];
  for (let i = 0; i < read; i++) values.push(readValue(cursor, element, key, depth + 1, fail, shortened));
  if (element === STRING) cursor.skipTexts(length - read, key);
  else for (let i = read; i < length; i++) readValue(cursor, element, key, depth + 1, fail, shortened);
  return whole(values);
}

function typeOf(id: number, tensor: string, file: string): BlockType {
  const type = blockTypes.find((row) => row.id === id);
  if (type) return type;
  const { name } = anyType(id);
  throw new LayerifError(
    'badModel',
    `${file}: tensor ${tensor} has type ${name}; readable are ${blockTypes.map((row) => row.name).join(', ')}: take the model in one of these`,
  );
}

/** Of every number: of a type that is not read, its name with 0 bytes. */
export function anyType(id: number): StoredType {
  const known = blockTypes.find((row) => row.id === id);
  const name = (Object.hasOwn(otherTypes, id) ? otherTypes[id] : undefined) ?? `number ${id}`;
  return known ?? { name, numbers: 1, bytes: 0 };
}

function safe(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
