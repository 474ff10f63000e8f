/**
 * The .xz format (tukaani.org/xz/xz-file-format.txt): streams one after the other, each of blocks of LZMA2 with a check
 * and an index of them. All checks are computed. Filters beside LZMA2, which are meant for programs and not for text,
 * are refused.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { crc64Check } from './crc64.ts';
import type { Check } from './crc64.ts';
import { Lzma } from './lzma.ts';
import { PulledBytes } from './pulledBytes.ts';
import { UnsupportedFile } from './reader.ts';
import { nth } from '../../lists/nth.ts';

/** Largest dictionary that is kept; `xz -9` asks for half of it. */
const LARGEST_DICTIONARY_BYTES = 2 ** 27;
const LZMA2 = 0x21;

/** Type -> the check that a stream's blocks end with. */
const checks: Readonly<Record<number, { length: number; make: () => Check }>> = {
  0: { length: 0, make: () => ({ add: () => undefined, value: () => Buffer.alloc(0) }) },
  1: { length: 4, make: crc32Check },
  4: { length: 8, make: crc64Check },
  10: {
    length: 32,
    make() {
      const hash = createHash('sha256');
      return { add: (bytes) => void hash.update(bytes), value: () => hash.digest() };
    },
  },
};

/** @throws Error for bytes that are no such file */
export async function* unxz(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new PulledBytes(source);
  while (await bytes.more()) yield* stream(bytes);
}

/** A stream with the zeros behind it. */
async function* stream(bytes: PulledBytes): AsyncGenerator<Buffer, void, undefined> {
  const head = await bytes.take(12);
  const flags = head.subarray(6, 8);
  if (head.toString('latin1', 0, 6) !== '\xfd7zXZ\0') throw new Error('something else stands behind the first stream');
  if (crc32(flags) !== head.readUInt32LE(8)) throw new Error('the checksum of its head differs');
  const check = flags[0] === 0 ? checks[nth(flags, 1)] : undefined;
  if (check === undefined) throw new Error(`its check ${flags.toString('hex')} is not known`);
  const blocks: [unpadded: number, text: number][] = [];
  for (;;) {
    const size = nth(await bytes.take(1), 0);
    if (size === 0) break;
    const headSize = (size + 1) * 4;
    const dictionary = dictionaryOf(Buffer.concat([Buffer.from([size]), await bytes.take(headSize - 1)]));
    const sums = { packed: 0, text: 0 };
    const made = check.make();
    for await (const text of lzma2(bytes, dictionary, sums)) {
      made.add(text);
      sums.text += text.length;
      yield text;
    }
    await padding(bytes, sums.packed);
    if (!(await bytes.take(check.length)).equals(made.value())) throw new Error('the checksum of a block differs');
    blocks.push([headSize + sums.packed + check.length, sums.text]);
  }
  const index = await indexSize(bytes, blocks);
  const foot = await bytes.take(12);
  const same = foot.subarray(8, 10).equals(flags) && foot.toString('latin1', 10) === 'YZ';
  if (!same || crc32(foot.subarray(4, 10)) !== foot.readUInt32LE(0) || (foot.readUInt32LE(4) + 1) * 4 !== index)
    throw new Error('its end differs from its begin');
  await zeros(bytes);
}

/** Streams may be followed by zeros, four at a time. */
async function zeros(bytes: PulledBytes): Promise<void> {
  while (await bytes.more()) {
    const four = await bytes.take(4);
    if (four.readUInt32LE() === 0) continue;
    bytes.putBack(four);
    return;
  }
}

async function padding(bytes: PulledBytes, before: number): Promise<void> {
  for (const byte of await bytes.take((4 - (before % 4)) % 4)) if (byte !== 0) throw new Error('its padding is not 0');
}

/** Bytes of the dictionary that a block's head asks for. */
function dictionaryOf(head: Buffer): number {
  const content = head.subarray(0, -4);
  if (crc32(content) !== head.readUInt32LE(content.length))
    throw new Error('the checksum of the head of a block differs');
  const flags = nth(content, 1);
  let at = 2;
  const number = (): number => {
    const { value, length } = numberAt(content, at);
    at += length;
    return value;
  };
  for (const flag of [0x40, 0x80]) if ((flags & flag) !== 0) number(); // sizes, which the index holds too
  const [filter, size] = [number(), number()];
  if ((flags & 3) !== 0 || filter !== LZMA2 || size !== 1)
    throw new UnsupportedFile('it was made with a filter beside LZMA2; compress it by xz without such options');
  const packed = nth(content, at) & 63;
  const dictionary = packed === 40 ? 2 ** 32 - 1 : (2 | (packed & 1)) * 2 ** ((packed >> 1) + 11);
  if (packed > 40) throw new Error('the size of its dictionary is none');
  if (dictionary > LARGEST_DICTIONARY_BYTES)
    throw new UnsupportedFile(
      `it needs a dictionary of more than ${LARGEST_DICTIONARY_BYTES / 2 ** 20} MiB; compress it by xz -9`,
    );
  return dictionary;
}

/** The chunks of a block; counts the bytes that they take. */
async function* lzma2(
  bytes: PulledBytes,
  dictionary: number,
  sums: { packed: number },
): AsyncGenerator<Buffer, void, undefined> {
  const lzma = new Lzma(dictionary);
  const taken = (count: number): Promise<Buffer> => {
    sums.packed += count;
    return bytes.take(count);
  };
  // The least that the next chunk must begin: 0xe0 a dictionary, 0xc0 properties.
  let least = 0xe0;
  for (;;) {
    const control = nth(await taken(1), 0);
    if (control === 0) return;
    if (control < 0x80) {
      if (control > 2 || (control === 2 && least === 0xe0)) throw new Error('a chunk of it is of no known kind');
      if (control === 1) {
        lzma.resetDictionary();
        least = 0xc0;
      }
      yield lzma.stored(await taken((await taken(2)).readUInt16BE() + 1));
      continue;
    }
    if (control < least) throw new Error('a chunk of it goes on with what was never begun');
    least = 0x80;
    const sizes = await taken(4);
    if (control >= 0xe0) lzma.resetDictionary();
    if (control >= 0xc0) lzma.setProperties(nth(await taken(1), 0));
    if (control >= 0xa0) lzma.resetState();
    const size = ((control & 0x1f) << 16) + sizes.readUInt16BE() + 1;
    yield lzma.decode(await taken(sizes.readUInt16BE(2) + 1), size);
  }
}

/** Size of the index, which must list the blocks. */
async function indexSize(bytes: PulledBytes, blocks: readonly (readonly number[])[]): Promise<number> {
  const read = [Buffer.from([0])];
  const number = async (): Promise<number> => {
    const parts: Buffer[] = [];
    do parts.push(await bytes.take(1));
    while (nth(parts.at(-1)!, 0) >= 0x80 && parts.length < 9);
    const whole = Buffer.concat(parts);
    read.push(whole);
    return numberAt(whole, 0).value;
  };
  const numbers = [blocks.length, ...blocks.flat()];
  for (const expected of numbers)
    if ((await number()) !== expected) throw new Error('its index differs from its blocks');
  const content = Buffer.concat(read);
  await padding(bytes, content.length);
  const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
  if (crc32(padded) !== (await bytes.take(4)).readUInt32LE()) throw new Error('the checksum of its index differs');
  return padded.length + 4;
}

/** Seven bits a byte, the lowest first. */
function numberAt(bytes: Buffer, at: number): { value: number; length: number } {
  let value = 0;
  for (let i = 0; i < 9 && at + i < bytes.length; i++) {
    const byte = nth(bytes, at + i);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, length: i + 1 };
  }
  throw new Error('a number in it has no end');
}

function crc32Check(): Check {
  let value = 0;
  return {
    add: (bytes) => void (value = crc32(bytes, value)),
    value() {
      const made = Buffer.alloc(4);
      made.writeUInt32LE(value);
      return made;
    },
  };
}
