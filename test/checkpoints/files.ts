/** Checkpoint files made by hand, right or wrong in one place. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LayerifError } from '../../protocol/errors.ts';

/** A safetensors file of any header text and any bytes. */
export function safetensorsBytes(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

export const bytesOf = (array: NodeJS.ArrayBufferView): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

/** Writes `name` into `folder` and gives its path. */
export function file(folder: string, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The message of the LayerifError `badModel` that `work` throws, with `root` cut out of paths. */
export function complaint(work: () => unknown, root: string): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof LayerifError) || error.code !== 'badModel') throw error;
    return error.message.replaceAll(`${root}/`, '').replaceAll(root, '<root>');
  }
  throw new Error('nothing was refused');
}

export type Value =
  | string
  | boolean
  | { u32: number }
  | { f32: number }
  | { texts: string[] }
  | { i32s: number[] }
  | { f32s: number[] }
  | { flags: boolean[] };

export interface GgufParts {
  version?: number;
  magic?: string;
  metadata?: Record<string, Value> | [string, Value][];
  /** `shape` with the slowest dimension first; `at` defaults to the next free place. */
  tensors?: { name: string; type: number; shape: number[]; data: Uint8Array; at?: number }[];
  tensorCount?: bigint;
  entryCount?: bigint;
}

/** A GGUF file, by the format's description and not by our reader. */
export function ggufBytes({
  version = 3,
  magic = 'GGUF',
  metadata = {},
  tensors = [],
  tensorCount,
  entryCount,
}: GgufParts): Buffer {
  const entries = Array.isArray(metadata) ? metadata : Object.entries(metadata);
  const aligned = (n: number) => Math.ceil(n / 32) * 32;
  const parts = [
    Buffer.from(magic),
    u32(version),
    u64(tensorCount ?? tensors.length),
    u64(entryCount ?? entries.length),
    ...entries.flatMap(([key, value]) => [text(key), ...valueBytes(value)]),
  ];
  let free = 0;
  const data: Buffer[] = [];
  for (const { name, type, shape, data: bytes, at } of tensors) {
    parts.push(text(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(type), u64(at ?? free));
    data.push(Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]));
    free += aligned(bytes.length);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length), ...data]);
}

function valueBytes(value: Value): Buffer[] {
  if (typeof value === 'string') return [u32(8), text(value)];
  if (typeof value === 'boolean') return [u32(7), Buffer.from([value ? 1 : 0])];
  if ('u32' in value) return [u32(4), u32(value.u32)];
  if ('f32' in value) return [u32(6), bytesOf(Float32Array.of(value.f32))];
  if ('texts' in value) return [u32(9), u32(8), u64(value.texts.length), ...value.texts.map(text)];
  if ('i32s' in value) return [u32(9), u32(5), u64(value.i32s.length), bytesOf(Int32Array.from(value.i32s))];
  if ('flags' in value) return [u32(9), u32(7), u64(value.flags.length), Buffer.from(value.flags.map(Number))];
  return [u32(9), u32(6), u64(value.f32s.length), bytesOf(Float32Array.from(value.f32s))];
}

const u32 = (n: number): Buffer => bytesOf(Uint32Array.of(n));
const u64 = (n: number | bigint): Buffer => bytesOf(BigUint64Array.of(BigInt(n)));
const text = (s: string): Buffer => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)]);

/**
 * Metadata of a Llama with 2 heads of 4 numbers, 1 key-value head, one layer; what is undefined in `changes` is left
 * out.
 */
export function llamaMetadata(changes: Record<string, Value | undefined> = {}): [string, Value][] {
  const all: Record<string, Value | undefined> = {
    'general.architecture': 'llama',
    'llama.block_count': { u32: 1 },
    'llama.context_length': { u32: 64 },
    'llama.embedding_length': { u32: 8 },
    'llama.feed_forward_length': { u32: 16 },
    'llama.attention.head_count': { u32: 2 },
    'llama.attention.head_count_kv': { u32: 1 },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-6 },
    ...changes,
  };
  return Object.entries(all).filter((entry): entry is [string, Value] => entry[1] !== undefined);
}

/** A float32 tensor for `ggufBytes`, filled with 0, 1, 2, ... */
export function counting(
  name: string,
  ...shape: number[]
): { name: string; type: number; shape: number[]; data: Buffer } {
  const size = shape.reduce((product, n) => product * n, 1);
  return { name, type: 0, shape, data: bytesOf(Float32Array.from({ length: size }, (_, i) => i)) };
}
