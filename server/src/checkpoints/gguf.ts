/**
 * The GGUF container (ggml, versions 2 and 3): typed metadata, tensor infos, aligned data. Every count and length is checked
 * against what is left of the file before it is used. Strings of the metadata are data: nothing here opens or runs them.
 */
import fs from 'node:fs';
import { LayerifError } from '../../../protocol/errors.ts';
import { blockTypes } from './dequantize.ts';

export type GgufValue = number | bigint | boolean | string | GgufValue[];

export interface GgufTensor {
  name: string;
  /** ggml type name, such as Q4_1. */
  dtype: string;
  /** Row-major, as PyTorch says it (ggml's order reversed). */
  shape: number[];
  /** Bytes from the start of the file. */
  offset: number;
  byteLength: number;
}

export interface GgufFile {
  file: string;
  version: number;
  metadata: Map<string, GgufValue>;
  tensors: GgufTensor[];
}

const MAGIC = 0x46554747; // "GGUF"
const DEFAULT_ALIGNMENT = 32;

/** @throws LayerifError `badModel` that names the file and the byte */
export function openGguf(file: string): GgufFile {
  const fd = fs.openSync(file, 'r');
  try {
    const cursor = new Cursor(fd, file);
    if (cursor.u32('the magic number') !== MAGIC) {
      throw new LayerifError('badModel', `${file} is not a GGUF file: it does not begin with "GGUF"`);
    }
    const version = cursor.u32('the version');
    if (version !== 2 && version !== 3) {
      throw new LayerifError(
        'badModel',
        `${file} has GGUF version ${version}; supported: 2 and 3 (big-endian files are not)`,
      );
    }
    const tensorCount = cursor.count('the number of tensors', 24);
    const valueCount = cursor.count('the number of metadata values', 12);
    const metadata = new Map<string, GgufValue>();
    for (let i = 0; i < valueCount; i++) {
      const key = cursor.string('a metadata key');
      metadata.set(key, readValue(cursor, cursor.u32(`the type of ${key}`), key, 0));
    }
    const infos = Array.from({ length: tensorCount }, () => tensorInfo(cursor));
    const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT;
    if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1) {
      throw new LayerifError(
        'badModel',
        `${file}: general.alignment is ${String(alignment)}; a positive whole number is needed`,
      );
    }
    const dataStart = Math.ceil(cursor.position / alignment) * alignment;
    const tensors = infos.map((info) => ({ ...info, offset: dataStart + info.offset }));
    const names = new Set<string>();
    for (const { name, offset, byteLength } of tensors) {
      if (names.has(name)) throw new LayerifError('badModel', `${file} has two tensors ${name}`);
      names.add(name);
      if (offset + byteLength > cursor.size) {
        throw new LayerifError(
          'badModel',
          `${file}: tensor ${name} ends at byte ${offset + byteLength}, the file at ${cursor.size}; it is truncated, download it again`,
        );
      }
    }
    return { file, version, metadata, tensors };
  } finally {
    fs.closeSync(fd);
  }
}

function tensorInfo(cursor: Cursor): GgufTensor {
  const name = cursor.string('a tensor name');
  const rank = cursor.u32(`the rank of ${name}`);
  if (rank > 4) throw cursor.bad(`tensor ${name} has rank ${rank}, at most 4 is allowed`);
  const shape = Array.from({ length: rank }, () => cursor.u64(`a size of ${name}`)).reverse();
  const code = cursor.u32(`the type of ${name}`);
  const type = blockTypes.find((t) => t.code === code);
  if (!type) {
    throw cursor.bad(`tensor ${name} has ggml type ${code}; supported: ${blockTypes.map((t) => t.name).join(', ')}`);
  }
  const numbers = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(numbers)) throw cursor.bad(`tensor ${name} has the impossible shape [${shape.join(', ')}]`);
  const row = shape[shape.length - 1] ?? 1;
  if (row % type.numbers !== 0) {
    throw cursor.bad(`tensor ${name} has rows of ${row} numbers, ${type.name} comes in blocks of ${type.numbers}`);
  }
  const offset = cursor.u64(`the offset of ${name}`);
  return { name, dtype: type.name, shape, offset, byteLength: (numbers / type.numbers) * type.bytes };
}

/** Metadata types by their code: fewest bytes and how to read one. */
const readers: Record<number, { bytes: number; read: (cursor: Cursor, what: string) => GgufValue }> = {
  0: { bytes: 1, read: (c, w) => c.bytes(1, w).readUInt8() },
  1: { bytes: 1, read: (c, w) => c.bytes(1, w).readInt8() },
  2: { bytes: 2, read: (c, w) => c.bytes(2, w).readUInt16LE() },
  3: { bytes: 2, read: (c, w) => c.bytes(2, w).readInt16LE() },
  4: { bytes: 4, read: (c, w) => c.u32(w) },
  5: { bytes: 4, read: (c, w) => c.bytes(4, w).readInt32LE() },
  6: { bytes: 4, read: (c, w) => c.bytes(4, w).readFloatLE() },
  7: { bytes: 1, read: (c, w) => c.bytes(1, w).readUInt8() !== 0 },
  8: { bytes: 8, read: (c, w) => c.string(w) },
  10: { bytes: 8, read: (c, w) => c.bytes(8, w).readBigUInt64LE() },
  11: { bytes: 8, read: (c, w) => c.bytes(8, w).readBigInt64LE() },
  12: { bytes: 8, read: (c, w) => c.bytes(8, w).readDoubleLE() },
};
const ARRAY = 9;

function readValue(cursor: Cursor, code: number, key: string, depth: number): GgufValue {
  if (code === ARRAY) {
    if (depth > 2) throw cursor.bad(`${key} nests arrays deeper than 3`);
    const element = cursor.u32(`the element type of ${key}`);
    const count = cursor.count(`the length of ${key}`, element === ARRAY ? 12 : (readers[element]?.bytes ?? 1));
    return Array.from({ length: count }, () => readValue(cursor, element, key, depth + 1));
  }
  const reader = readers[code];
  if (!reader) throw cursor.bad(`${key} has the unknown metadata type ${code}`);
  return reader.read(cursor, key);
}

const WINDOW = 1 << 20;

/** Reads forward through a window of the file. */
class Cursor {
  readonly #fd: number;
  readonly #file: string;
  readonly size: number;
  #window = Buffer.alloc(0);
  #start = 0;
  position = 0;

  constructor(fd: number, file: string) {
    this.#fd = fd;
    this.#file = file;
    this.size = fs.fstatSync(fd).size;
  }

  bad(what: string): LayerifError {
    return new LayerifError(
      'badModel',
      `${this.#file} is damaged near byte ${this.position}: ${what}; download it again`,
    );
  }

  bytes(length: number, what: string): Buffer {
    if (length > this.size - this.position) {
      throw this.bad(`${what} takes ${length} bytes, ${this.size - this.position} are left`);
    }
    const within = this.position - this.#start;
    if (within + length > this.#window.length) {
      const window = Buffer.alloc(Math.min(Math.max(WINDOW, length), this.size - this.position));
      for (let at = 0; at < window.length;) {
        const got = fs.readSync(this.#fd, window, at, window.length - at, this.position + at);
        if (got === 0) throw this.bad(`${what} ends early`);
        at += got;
      }
      this.#window = window;
      this.#start = this.position;
    }
    const from = this.position - this.#start;
    this.position += length;
    return this.#window.subarray(from, from + length);
  }

  u32(what: string): number {
    return this.bytes(4, what).readUInt32LE();
  }

  u64(what: string): number {
    const value = this.bytes(8, what).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad(`${what} is ${value}`);
    return Number(value);
  }

  /** A number of things that take at least `each` bytes in what is left of the file. */
  count(what: string, each: number): number {
    const count = this.u64(what);
    if (count * each > this.size - this.position) {
      throw this.bad(`${what} is ${count}, the ${this.size - this.position} bytes that are left cannot hold that`);
    }
    return count;
  }

  string(what: string): string {
    return this.bytes(this.u64(`the length of ${what}`), what).toString('utf8');
  }
}
