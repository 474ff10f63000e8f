/** The one encoding of texts that are read: UTF-8. What another one is called, and how to come from it to UTF-8. */
import { isUtf8 } from 'node:buffer';

/** First bytes -> the encoding that they mark; UTF-32 first, whose mark begins as that of UTF-16. */
const marks: readonly (readonly [bytes: readonly number[], encoding: string])[] = [
  [[0xff, 0xfe, 0, 0], 'UTF-32'],
  [[0, 0, 0xfe, 0xff], 'UTF-32'],
  [[0xff, 0xfe], 'UTF-16'],
  [[0xfe, 0xff], 'UTF-16'],
];

/** Encodings without a mark: the places, of every four bytes, that are zero where characters are below 256. */
const zeros: readonly (readonly [encoding: string, places: readonly number[]])[] = [
  ['UTF-32LE', [1, 2, 3]],
  ['UTF-32BE', [0, 1, 2]],
  ['UTF-16LE', [1, 3]],
  ['UTF-16BE', [0, 2]],
];
/** Share of such places that must be zero, and most of the others that may be. */
const [MANY, FEW] = [0.7, 0.1];

/** Bytes that are looked at for zeros. */
const LOOKED_AT = 256;

/** The Unicode encoding of bytes that are not UTF-8, by their mark or their zeros; null where they may be UTF-8. */
export function otherUnicode(bytes: Uint8Array): string | null {
  const marked = marks.find(([mark]) => mark.every((byte, i) => bytes[i] === byte));
  if (marked) return marked[1];
  const looked = bytes.subarray(0, Math.min(LOOKED_AT, bytes.length - (bytes.length % 4)));
  if (!looked.includes(0)) return null;
  const share = [0, 1, 2, 3].map((place) => {
    const own = looked.filter((_, at) => at % 4 === place);
    return own.filter((byte) => byte === 0).length / own.length;
  });
  const fits = (places: readonly number[]) =>
    share.every((zero, place) => (places.includes(place) ? zero >= MANY : zero <= FEW));
  return zeros.find(([, places]) => fits(places))?.[0] ?? null;
}

/** What is wrong with bytes that should be UTF-8, and what to do; null for UTF-8. */
export function encodingFault(bytes: Uint8Array): string | null {
  const unicode = otherUnicode(bytes);
  if (unicode !== null) return `the text is ${unicode}, UTF-8 is needed; ${toUtf8(unicode)}`;
  if (isUtf8(bytes)) return null;
  return `the text is not UTF-8 (first in line ${firstWrongLine(bytes)}), perhaps Latin-1 or Windows-1252; ${toUtf8('WINDOWS-1252')}`;
}

/** Advice for a text in another encoding. */
export function toUtf8(encoding: string): string {
  return `save it as UTF-8, in VS Code with "Save with Encoding", elsewhere with: iconv -f ${encoding} -t UTF-8 OLD > NEW`;
}

/** From 1. */
function firstWrongLine(bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line++) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) return line;
    start = end + 1;
  }
}
