/**
 * Ways to damage a file: bytes, lengths, pieces, and for JSON the words and the nesting. All choices come from one
 * seed.
 */
import type { Random } from '../../server/src/random/random.ts';

/** Little-endian integers that readers stumble over. */
const numbers: readonly bigint[] = [
  0n,
  1n,
  0xffn,
  0x7fffffffn,
  0xffffffffn,
  0x100000000n,
  (1n << 53n) + 1n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

type Damage = (bytes: Buffer, random: Random) => Buffer;

const bytewise: readonly Damage[] = [
  function flipBits(bytes, random) {
    const copy = Buffer.from(bytes);
    for (let i = 1 + random.integer(8); i > 0; i--) copy[place(copy, random)] ^= 1 << random.integer(8);
    return copy;
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.integer(bytes.length + 1));
  },
  function setNumber(bytes, random) {
    const copy = Buffer.from(bytes);
    const value = numbers[random.integer(numbers.length)];
    const at = place(copy, random);
    const width = random.integer(2) === 0 ? 4 : 8;
    for (let i = 0; i < width && at + i < copy.length; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    return copy;
  },
  function repeatPiece(bytes, random) {
    const start = place(bytes, random);
    const piece = bytes.subarray(start, start + 1 + random.integer(64));
    return Buffer.concat([bytes.subarray(0, start), piece, bytes.subarray(start)]);
  },
  function dropPiece(bytes, random) {
    const start = place(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + 1 + random.integer(64))]);
  },
  function randomBytes(bytes, random) {
    const copy = Buffer.from(bytes);
    const start = place(copy, random);
    for (let i = start; i < Math.min(copy.length, start + 16); i++) copy[i] = random.integer(256);
    return copy;
  },
];

/** Values that a key of a JSON file does not expect. */
const values = [
  'null',
  'true',
  '-1',
  '0',
  '1e308',
  '1e999',
  '0.5',
  '9007199254740993',
  '""',
  '"../../../../etc/passwd"',
  '"{{ x }}"',
  '[]',
  '{}',
  '[[[[]]]]',
  '"\\u0000"',
  '"' + 'A'.repeat(4096) + '"',
  '['.repeat(200) + ']'.repeat(200),
];

const inWords: readonly Damage[] = [
  function otherValue(bytes, random) {
    const text = bytes.toString('utf8');
    const found = [...text.matchAll(/:\s*("(?:[^"\\]|\\.)*"|-?[\d.eE+]+|true|false|null)/g)];
    if (found.length === 0) return bytes;
    const match = found[random.integer(found.length)];
    const start = match.index + match[0].length - match[1].length;
    return Buffer.from(
      text.slice(0, start) + values[random.integer(values.length)] + text.slice(start + match[1].length),
    );
  },
  function renameKey(bytes, random) {
    const text = bytes.toString('utf8');
    const found = [...text.matchAll(/"([^"\\]*)"\s*:/g)];
    if (found.length === 0) return bytes;
    const match = found[random.integer(found.length)];
    const names = ['__proto__', 'constructor', 'toString', '', match[1] + match[1]];
    const name = JSON.stringify(names[random.integer(names.length)]);
    return Buffer.from(text.slice(0, match.index) + name + text.slice(match.index + match[1].length + 2));
  },
];

/** One damaged copy. @param json whether the file is a JSON text */
export function damaged(bytes: Buffer, json: boolean, random: Random): { bytes: Buffer; how: string } {
  const ways = json ? [...bytewise, ...inWords, ...inWords, ...inWords] : bytewise;
  let copy = bytes;
  const how: string[] = [];
  for (let i = 1 + random.integer(3); i > 0; i--) {
    const way = ways[random.integer(ways.length)];
    how.push(way.name);
    copy = way(copy, random);
    if (copy.length === 0) break;
  }
  return { bytes: copy, how: how.join(' + ') };
}

/** Half of the damage falls into the first 2 KiB, where headers are. */
function place(bytes: Buffer, random: Random): number {
  return random.integer(random.integer(2) === 0 ? Math.min(2048, bytes.length) : bytes.length);
}
