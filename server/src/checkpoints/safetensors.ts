/**
 * The safetensors format: 8 bytes little-endian header length, a JSON header, raw little-endian numbers.
 * Every length is checked against the file before it is used, so that a damaged file costs an error, not memory.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { floatTypes, storedBytes } from './dtypes.ts';
import { requireFinite } from './finite.ts';
import type { TensorInfo } from './types.ts';

/** The format's own limit. */
const LARGEST_HEADER = 100_000_000;

export interface SafetensorsFile {
  file: string;
  metadata: Record<string, string>;
  tensors: TensorInfo[];
  /** Byte offset of the first number. */
  dataStart: number;
}

/** Reads and checks a header. @throws LayerifError `badModel` that names the file and what is wrong with it */
export function openSafetensors(file: string): SafetensorsFile {
  const fd = fs.openSync(file, 'r');
  try {
    const size = fs.fstatSync(fd).size;
    const fail = (what: string): never => {
      throw new LayerifError(
        'badModel',
        `${file} is not a usable safetensors file: ${what}; download or write it again`,
      );
    };
    if (size < 8) fail(`it has ${size} bytes, the header length alone takes 8`);
    const length = Number(readAt(fd, 0, 8).readBigUInt64LE());
    if (length > LARGEST_HEADER)
      fail(`its first 8 bytes give a header of ${length} bytes (wrong magic: perhaps another format)`);
    if (8 + length > size) fail(`its header ends at byte ${8 + length}, the file at ${size} (truncated)`);
    let header: Record<string, unknown>;
    try {
      header = JSON.parse(readAt(fd, 8, length).toString('utf8')) as Record<string, unknown>;
    } catch (error) {
      return fail(`its header is not JSON (${(error as Error).message})`);
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header)) fail('its header is not a JSON object');
    const dataStart = 8 + length;
    const tensors = Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => tensorInfo(name, entry, file, dataStart, size, fail))
      .sort((a, b) => a.offset - b.offset);
    for (let i = 1; i < tensors.length; i++) {
      const before = tensors[i - 1];
      if (tensors[i].offset < before.offset + before.byteLength)
        fail(`tensors ${before.name} and ${tensors[i].name} overlap`);
    }
    return { file, metadata: (header.__metadata__ ?? {}) as Record<string, string>, tensors, dataStart };
  } finally {
    fs.closeSync(fd);
  }
}

function tensorInfo(
  name: string,
  entry: unknown,
  file: string,
  dataStart: number,
  size: number,
  fail: (what: string) => never,
): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((x) => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0);
  if (typeof dtype !== 'string' || !(dtype in storedBytes))
    return fail(`tensor ${name} has the unknown type ${JSON.stringify(dtype)}`);
  if (!counts(shape)) return fail(`tensor ${name} has the shape ${JSON.stringify(shape)}`);
  if (!counts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    return fail(`tensor ${name} has the offsets ${JSON.stringify(offsets)}`);
  }
  const [start, end] = offsets;
  if (dataStart + end > size) {
    return fail(
      `tensor ${name} ends at byte ${dataStart + end}, the file at ${size} (truncated, or the header points outside)`,
    );
  }
  const bytes = shape.reduce((product, x) => product * x, storedBytes[dtype]);
  if (bytes !== end - start) {
    return fail(
      `tensor ${name} of type ${dtype} and shape [${shape.join(', ')}] takes ${bytes} bytes, the header gives it ${end - start}`,
    );
  }
  return { name, dtype, shape, file, offset: dataStart + start, byteLength: bytes };
}

/** One tensor as float32. @throws LayerifError `badModel`: no real type, a file that became shorter, NaN or infinite values */
export function readFloat32(info: TensorInfo): Float32Array {
  const type = floatTypes[info.dtype];
  if (!type) {
    throw new LayerifError(
      'badModel',
      `${info.file}: tensor ${info.name} has type ${info.dtype}; weights must be ${Object.keys(floatTypes).join(', ')}`,
    );
  }
  const values = new Float32Array(info.byteLength / type.bytes);
  if (info.dtype === 'F32') readInto(info, new Uint8Array(values.buffer));
  else {
    const raw = new ArrayBuffer(info.byteLength);
    readInto(info, new Uint8Array(raw));
    type.decode(raw, values);
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

/** A file with its tensors as they are stored. */
export function readSafetensors(file: string): {
  metadata: Record<string, string>;
  names(): string[];
  tensor(name: string): StoredArray;
} {
  const { tensors, metadata } = openSafetensors(file);
  const byName = new Map(tensors.map((t) => [t.name, t]));
  return {
    metadata,
    names: () => [...byName.keys()],
    tensor(name) {
      const info = byName.get(name);
      if (!info)
        throw new LayerifError(
          'badModel',
          `${file} has no tensor ${name}; it has ${[...byName.keys()].slice(0, 8).join(', ')} …`,
        );
      const make = arrays[info.dtype as keyof typeof arrays];
      if (!make)
        throw new LayerifError(
          'badModel',
          `${file}: tensor ${name} has type ${info.dtype}, expected ${Object.keys(arrays).join(', ')}`,
        );
      const bytes = new ArrayBuffer(info.byteLength);
      readInto(info, new Uint8Array(bytes));
      return new make(bytes);
    },
  };
}

export interface NewTensor {
  name: string;
  dtype: keyof typeof arrays | 'F16' | 'BF16';
  shape: readonly number[];
  data: NodeJS.ArrayBufferView;
}

/** Writes a file atomically: a temporary file in the same folder, then one rename. @throws the file system's error */
export function writeSafetensors(
  file: string,
  tensors: readonly NewTensor[],
  metadata: Record<string, string> = {},
): void {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    if (name in header) throw new Error(`two tensors are called ${name}`);
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    const fd = fs.openSync(temporary, 'w');
    try {
      for (const part of [length, padded, ...tensors.map((t) => t.data)]) writeAll(fd, part);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** `writeSync` may write less than it was given, for example close to a full disk or above 2 GiB. */
export function writeAll(fd: number, data: NodeJS.ArrayBufferView): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length;) at += fs.writeSync(fd, bytes, at, Math.min(bytes.length - at, 1 << 30));
}

/** The stored bytes of a tensor. @throws LayerifError `badModel` when the file became shorter */
export function readBytes(info: TensorInfo): Uint8Array {
  const bytes = new Uint8Array(info.byteLength);
  readInto(info, bytes);
  return bytes;
}

function readInto(info: TensorInfo, into: Uint8Array): void {
  const fd = fs.openSync(info.file, 'r');
  try {
    for (let at = 0; at < into.length;) {
      const got = fs.readSync(fd, into, at, Math.min(into.length - at, 1 << 30), info.offset + at);
      if (got === 0) {
        throw new LayerifError(
          'badModel',
          `${info.file} ends inside tensor ${info.name} (at byte ${info.offset + at}); it was changed since it was opened`,
        );
      }
      at += got;
    }
  } finally {
    fs.closeSync(fd);
  }
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const got = fs.readSync(fd, buffer, at, length - at, position + at);
    if (got === 0) break;
    at += got;
  }
  return buffer;
}
