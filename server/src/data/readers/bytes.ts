/** The bytes of a data file's text, unpacked where it is compressed, without a byte order mark. */
import { createReadStream } from 'node:fs';
import { unpacked } from './decompress.ts';
import { broken, readError } from './reader.ts';
import { requireRegularFile } from '../../files/textFile.ts';

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

/** Drops the UTF-8 mark, refuses the UTF-16 ones. */
function withoutMark(bytes: Buffer, file: string): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw broken(file, 1, 'the text is UTF-16, not UTF-8; save the file in that encoding');
  }
  return bytes;
}
