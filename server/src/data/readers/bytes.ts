/** The bytes of a data file's text, unpacked where it is compressed, without a byte order mark. */
import { createReadStream } from 'node:fs';
import { unpacked } from './decompress.ts';
import { broken, readError } from './reader.ts';
import { requireRegularFile } from '../../files/textFile.ts';
import { otherUnicode, toUtf8 } from '../../files/utf8.ts';

const CHUNK_BYTES = 1 << 18;

/** @throws LayerifError `badData`: not readable, or UTF-16 */
export async function* textBytes(file: string): AsyncGenerator<Buffer, void, undefined> {
  let first: Buffer | null = Buffer.alloc(0);
  try {
    requireRegularFile(file);
    const stored = createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
    for await (const chunk of unpacked(stored, file)) {
      if (first === null) {
        yield chunk;
        continue;
      }
      first = Buffer.concat([first, chunk]);
      if (first.length < 4) continue;
      yield withoutMark(first, file);
      first = null;
    }
    if (first !== null && first.length > 0) yield withoutMark(first, file);
  } catch (error) {
    throw readError(error, file);
  }
}

/** Drops the UTF-8 mark, refuses other encodings of Unicode. */
function withoutMark(bytes: Buffer, file: string): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  const unicode = otherUnicode(bytes);
  if (unicode !== null) throw broken(file, 1, `the text is ${unicode}, UTF-8 is needed; ${toUtf8(unicode)}`);
  return bytes;
}
