/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header, raw little-endian numbers without gaps.
 * Every length is checked against the file before it is used, so that a damaged file costs an error, not memory.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { mistakenOr } from '../files/mistaken.ts';
import { NotJson, parsedJson } from '../text/jsonFault.ts';
import { floatTypes, storedBytes } from './dtypes.ts';
import type { ByteSource } from '../files/byteSource.ts';
import { headOf, readTensorBytes, withFile, writeAtomically } from './fileBytes.ts';
import { allFinite, requireFinite } from './finite.ts';
import { duplicateKey } from './jsonKeys.ts';
import { nearestNames } from '../text/nearest.ts';
import { cut, isPrintable, printable, quoted } from './printable.ts';
import type { TensorInfo } from './types.ts';
import { lookup } from '../text/lookup.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';
import { entry } from '../lists/entry.ts';

/** The format's own limit. */
const LARGEST_HEADER = 100_000_000;

export interface SafetensorsFile {
  file: string;
  metadata: Record<string, string>;
  /** In the order of their bytes. */
  tensors: TensorInfo[];
  /** Byte offset of the first number. */
  dataStart: number;
}

type Fail = (what: string) => never;

/** Reads and checks a header. @throws LayerifError `badModel` that names the file and what is wrong with it */
export function openSafetensors(file: string): SafetensorsFile {
  return withFile(file, readSafetensorsHeader);
}

/** @throws LayerifError `badModel` */
export function readSafetensorsHeader(source: ByteSource): SafetensorsFile {
  const { name: file, size } = source;
  const fail: Fail = (what) => {
    throw new LayerifError(
      'badModel',
      `${file} is not a usable safetensors file: ${mistakenOr(headOf(source), printable(what), 'download or write it again')}`,
      { place: { file } },
    );
  };
  if (size < 8) fail(`it has ${size} bytes, the header length alone takes 8`);
  const start = Buffer.alloc(Math.min(9, size));
  source.read(start, 0);
  const length = Number(start.readBigUInt64LE());
  if (length > LARGEST_HEADER)
    fail(`its first 8 bytes give a header of ${length} bytes (wrong magic: perhaps another format)`);
  if (8 + length > size) fail(`its header ends at byte ${8 + length}, the file at ${size} (truncated)`);
  if (length < 2 || start[8] !== 0x7b) fail('its header does not begin with "{" (wrong magic: perhaps another format)');
  const bytes = Buffer.alloc(length);
  if (source.read(bytes, 8) < length) fail('its header could not be read; the file changed meanwhile');
  return { file, ...readHeader(bytes.toString('utf8'), file, 8 + length, size, fail) };
}

function readHeader(
  text: string,
  file: string,
  dataStart: number,
  size: number,
  fail: Fail,
): Omit<SafetensorsFile, 'file'> {
  let header: Record<string, unknown>;
  try {
    header = parsedJson(text) as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    return fail(`its header is not JSON (${error.message})`);
  }
  const hidden = Object.keys(header).find((name) => !isPrintable(name));
  if (hidden !== undefined) fail(`the name of tensor ${hidden} has characters that cannot be shown`);
  const twice = duplicateKey(text);
  if (twice !== null) fail(`tensor ${twice} stands in the header twice`);

  const metadata = Object.hasOwn(header, '__metadata__') ? header.__metadata__ : {};
  if (!isTextMap(metadata)) return fail('its __metadata__ is not a map of texts');
  const tensors = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => tensorInfo(name, entry, file, dataStart, size, fail))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let end = dataStart;
  let before = 'the header';
  for (const { name, offset, byteLength } of tensors) {
    if (offset < end) fail(`tensors ${before} and ${name} overlap`);
    if (offset > end) fail(`${offset - end} bytes between ${before} and tensor ${name} belong to no tensor`);
    end = offset + byteLength;
    before = name;
  }
  if (end < size) fail(`${size - end} bytes after ${before} belong to no tensor`);
  return { metadata, tensors, dataStart };
}

function tensorInfo(
  name: string,
  entry: unknown,
  file: string,
  dataStart: number,
  size: number,
  fail: Fail,
): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((x) => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0);
  if (typeof dtype !== 'string' || !Object.hasOwn(storedBytes, dtype)) {
    return fail(`tensor ${name} has the unknown type ${quoted(dtype)}`);
  }
  if (!counts(shape)) return fail(`tensor ${name} has the shape ${quoted(shape)}`);
  if (!counts(offsets) || offsets.length !== 2 || nth(offsets, 0) > nth(offsets, 1)) {
    return fail(`tensor ${name} has the offsets ${quoted(offsets)}`);
  }
  const [start, end] = take(offsets, 2);
  if (dataStart + end > size) {
    return fail(
      `tensor ${name} ends at byte ${dataStart + end}, the file at ${size} (truncated, or the header points outside)`,
    );
  }
  // Above 2^53 the product loses its last digits and still is larger than any file.
  const bytes = shape.reduce((product, x) => product * x, lookup(storedBytes, dtype)!);
  if (bytes !== end - start) {
    return fail(
      `tensor ${name} of type ${dtype} and shape ${cut(`[${shape.join(', ')}]`)} takes ${bytes} bytes, the header gives it ${end - start}`,
    );
  }
  return { name, dtype, shape, file, offset: dataStart + start, byteLength: bytes };
}

function isTextMap(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

/** Bytes that are read and decoded at a time: they stay in the cache, and no second copy of a large tensor is made. */
const PIECE = 1 << 18;
let piece = new Uint8Array(0);

/**
 * One tensor as float32.
 * @param into filled and returned; its length is the tensor's
 * @throws LayerifError `badModel`: no real type, a file that became shorter, NaN or infinite values
 */
export function readFloat32(info: TensorInfo, into?: Float32Array): Float32Array {
  const type = lookup(floatTypes, info.dtype);
  if (!type) {
    throw new LayerifError(
      'badModel',
      `${info.file}: tensor ${info.name} has type ${info.dtype}; weights must be ${Object.keys(floatTypes).join(', ')}`,
    );
  }
  const values = into ?? new Float32Array(info.byteLength / type.bytes);
  if (info.dtype === 'F32') {
    readTensorBytes(info, new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength));
  } else {
    if (piece.length === 0) piece = new Uint8Array(PIECE);
    let finite = true;
    for (let at = 0; at < info.byteLength; at += PIECE) {
      const byteLength = Math.min(PIECE, info.byteLength - at);
      readTensorBytes({ ...info, offset: info.offset + at, byteLength }, piece);
      const part = values.subarray(at / type.bytes, (at + byteLength) / type.bytes);
      type.decode(piece.buffer, part);
      finite &&= allFinite(part); // while the piece is in the cache
    }
    if (finite) return values;
  }
  requireFinite(values, info);
  return values;
}

const arrays = {
  F32: Float32Array,
  F64: Float64Array,
  I32: Int32Array,
  I64: BigInt64Array,
  U8: Uint8Array,
} as const;

export type StoredArray = InstanceType<(typeof arrays)[keyof typeof arrays]>;

/** A file with its tensors as they are stored. @throws LayerifError `badModel` */
export function readSafetensors(file: string): {
  metadata: Record<string, string>;
  names: () => string[];
  /** @throws LayerifError `badModel`: no such tensor, or of a type that has no typed array */
  tensor: (name: string) => StoredArray;
} {
  const { tensors, metadata } = openSafetensors(file);
  const byName = new Map(tensors.map((t) => [t.name, t]));
  return {
    metadata,
    names: () => [...byName.keys()],
    tensor(name) {
      const info = byName.get(name);
      if (!info)
        throw new LayerifError('badModel', `${file} has no tensor ${name}${nearestNames(name, byName.keys())}`);
      const type = info.dtype as keyof typeof arrays;
      if (!Object.hasOwn(arrays, type)) {
        throw new LayerifError(
          'badModel',
          `${file}: tensor ${name} has type ${type}, expected ${Object.keys(arrays).join(', ')}`,
        );
      }
      return new arrays[type](readTensorBytes(info).buffer);
    },
  };
}

export interface NewTensor {
  name: string;
  dtype: keyof typeof arrays | 'F16' | 'BF16';
  shape: readonly number[];
  /** The numbers, or how to get them when their turn comes, so that one tensor is in memory at a time. */
  data: NodeJS.ArrayBufferView | (() => NodeJS.ArrayBufferView);
}

/** How numbers of observations are stored. */
export function dtypeOf(data: Float64Array | Float32Array | Uint8Array): 'F64' | 'F32' | 'U8' {
  if (data instanceof Float64Array) return 'F64';
  return data instanceof Float32Array ? 'F32' : 'U8';
}

/**
 * Writes a file atomically: a temporary file in the same folder, then one rename.
 * @throws Error for two tensors of one name or data that do not fit their shape; else the file system's error
 */
export function writeSafetensors(
  file: string,
  tensors: readonly NewTensor[],
  metadata: Record<string, string> = {},
): void {
  writeAtomically(file, safetensorsParts(tensors, metadata));
}

/** A whole file in memory. @throws Error as `writeSafetensors` */
export function safetensorsBytes(tensors: readonly NewTensor[]): Uint8Array {
  return Buffer.concat(
    [...safetensorsParts(tensors, {})].map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
  );
}

function safetensorsParts(
  tensors: readonly NewTensor[],
  metadata: Record<string, string>,
): Generator<NodeJS.ArrayBufferView> {
  const header = new Map<string, unknown>(Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []);
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    if (header.has(name) || name === '__metadata__') throw new Error(`a second tensor is called ${name}`);
    const bytes = bytesOf(dtype, shape);
    if (typeof data !== 'function') requireBytes(name, dtype, shape, data);
    header.set(name, { dtype, shape, data_offsets: [at, at + bytes] });
    at += bytes;
  }
  const text = Buffer.from(
    `{${[...header].map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',')}}`,
  );
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]); // numbers begin at a multiple of 8
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return parts();

  function* parts(): Generator<NodeJS.ArrayBufferView> {
    yield length;
    yield padded;
    for (const { name, dtype, shape, data } of tensors) {
      if (typeof data !== 'function') yield data;
      else yield requireBytes(name, dtype, shape, data());
    }
  }
}

function bytesOf(dtype: NewTensor['dtype'], shape: readonly number[]): number {
  return shape.reduce((product, x) => product * x, entry(storedBytes, dtype));
}

function requireBytes<T extends NodeJS.ArrayBufferView>(
  name: string,
  dtype: NewTensor['dtype'],
  shape: readonly number[],
  data: T,
): T {
  const bytes = bytesOf(dtype, shape);
  if (bytes !== data.byteLength) {
    throw new Error(
      `tensor ${name} of type ${dtype} and shape [${shape.join(', ')}] takes ${bytes} bytes, its data have ${data.byteLength}`,
    );
  }
  return data;
}
