/**
 * Compressed text, told by its first bytes as in `datasets`: gzip, Zstandard, bzip2 and xz are unpacked while they
 * are read, so that no more than a piece of the text is in memory, however far a file unfolds. To add a compression,
 * write a row in `compressions`.
 */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { bunzip2 } from './bunzip2.ts';
import { broken, UnsupportedFile } from './reader.ts';
import { unxz } from './xz.ts';
import { nth } from '../../lists/nth.ts';

/** Unpacked bytes of a gzip step. */
const CHUNK_BYTES = 1 << 18;
/** Compressed bytes of a Zstandard step: four bytes may stand for a block of 128 KiB, so a step makes at most 8 MiB. */
const ZSTD_STEP_BYTES = 256;

type Bytes = AsyncIterable<Buffer>;

interface Compression {
  name: string;
  /** First bytes of a file. */
  magic: readonly number[];
  /** Null: told, but not read; `advice` says what to do. */
  unpack: ((source: Bytes) => Bytes) | null;
  advice: string;
}

const compressions: readonly Compression[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: gunzip, advice: 'gunzip -k FILE' },
  { name: 'Zstandard', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd, advice: 'zstd -d FILE' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: bunzip2, advice: 'bunzip2 -k FILE' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: unxz, advice: 'unxz -k FILE' },
  { name: 'zip', magic: [0x50, 0x4b, 0x03, 0x04], unpack: null, advice: 'unzip FILE' },
  { name: 'LZ4', magic: [0x04, 0x22, 0x4d, 0x18], unpack: null, advice: 'lz4 -d FILE' },
];

/** Largest window of Zstandard that is kept, the default of its own program. */
const LARGEST_WINDOW_BYTES = 1 << 27;

/** Endings that stand behind a format's own, as in `train.jsonl.gz`. */
const ENDING = /\.(gz|zst|bz2|xz|zip|lz4)$/i;

/** A file's name without the ending of its compression. */
export function unpackedName(file: string): string {
  return file.replace(ENDING, '');
}

/** @throws LayerifError `badData`: a compression that is not read, or a broken stream */
export async function* unpacked(source: Bytes, file: string): AsyncGenerator<Buffer, void, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    let first = Buffer.alloc(0);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      first = Buffer.concat([first, next.value]);
      if (first.length >= 8) break;
    }
    const found = compressions.find(({ magic }) => magic.every((byte, i) => first[i] === byte));
    const whole = joined(first, chunks);
    if (found === undefined) {
      yield* whole;
      return;
    }
    if (found.unpack === null) {
      throw broken(
        file,
        undefined,
        `the file is compressed by ${found.name}, which is not read here; unpack it (${found.advice}), or compress it by gzip, bzip2, xz or zstd`,
      );
    }
    yield* guarded(found.unpack(whole), found, file);
  } finally {
    await chunks.return?.();
  }
}

async function* guarded(source: Bytes, { name }: Compression, file: string): Bytes {
  try {
    yield* source;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) throw error; // of the file system
    if (error instanceof UnsupportedFile)
      throw broken(file, undefined, `the file is not readable as ${name}: ${error.message}`, error);
    // Errors of zlib and of fzstd have codes; those without one are of the decoders beside this file.
    const why = code === undefined && error instanceof Error ? ` (${error.message})` : '';
    throw broken(
      file,
      undefined,
      `the file is not readable as ${name}${why}: it is cut off or damaged; copy or download it again`,
      error,
    );
  }
}

async function* joined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  if (first.length > 0) yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function* gunzip(source: Bytes): AsyncGenerator<Buffer, void, undefined> {
  const packed = Readable.from(source);
  const gunzipped = createGunzip({ chunkSize: CHUNK_BYTES });
  packed.on('error', (error) => gunzipped.destroy(error));
  packed.pipe(gunzipped);
  try {
    yield* gunzipped as AsyncIterable<Buffer>;
  } finally {
    packed.destroy();
    gunzipped.destroy();
  }
}

async function* unzstd(source: Bytes): AsyncGenerator<Buffer, void, undefined> {
  let out: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => out.push(chunk));
  const taken = function* (): Generator<Buffer> {
    for (const { buffer, byteOffset, byteLength } of out) yield Buffer.from(buffer, byteOffset, byteLength);
    out = [];
  };
  let begun = false;
  for await (const chunk of source) {
    if (!begun && windowBytes(chunk) > LARGEST_WINDOW_BYTES)
      throw new UnsupportedFile(
        `it needs a window of more than ${LARGEST_WINDOW_BYTES / 2 ** 20} MiB; compress it without --long`,
      );
    begun = true;
    for (let at = 0; at < chunk.length; at += ZSTD_STEP_BYTES) {
      decompress.push(chunk.subarray(at, at + ZSTD_STEP_BYTES));
      yield* taken();
    }
  }
  decompress.push(new Uint8Array(0), true);
  yield* taken();
}

/** What a frame's header asks to be kept (RFC 8878, 3.1.1.1). */
function windowBytes(header: Buffer): number {
  const [, , , , descriptor, window] = header;
  // Cut off: the decompressor says so.
  if (descriptor === undefined || window === undefined) return 0;
  if ((descriptor & 0x20) === 0) {
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + nth([0, 1, 2, 4], descriptor & 3); // behind the dictionary's id
  const size = nth([1, 2, 4, 8], descriptor >> 6);
  return header.length < at + size ? 0 : size === 8 ? Number(header.readBigUInt64LE(at)) : header.readUIntLE(at, size);
}
