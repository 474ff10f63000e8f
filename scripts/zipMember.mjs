/**
 * One file out of a zip archive (a Python wheel is one), as a stream: nothing is held in memory but the list of
 * members. Reads stored and deflated members of archives below 4 GiB, which is all that a wheel of the registry uses.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const LONGEST_COMMENT = 65535;

/**
 * Writes the bytes of `member` into `sink` and ends it.
 * @param sink a writable stream, or a transform whose output goes elsewhere
 * @throws Error when the archive is damaged or has no such member
 */
export async function extractMember(archive, member, sink) {
  const { start, length, method } = await locate(archive, member);
  const bytes = createReadStream(archive, { start, end: start + length - 1, highWaterMark: 1 << 20 });
  await (method === 8 ? pipeline(bytes, createInflateRaw({ chunkSize: 1 << 20 }), sink) : pipeline(bytes, sink));
}

/** Where the compressed bytes of `member` lie. */
async function locate(archive, member) {
  const file = await open(archive, 'r');
  try {
    const { size } = await file.stat();
    const read = async (position, length) => {
      if (position < 0 || position + length > size) throw new Error(`${archive} is a damaged zip archive`);
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, position);
      if (bytesRead !== length) throw new Error(`${archive} is a damaged zip archive`);
      return buffer;
    };

    const tail = await read(Math.max(0, size - LONGEST_COMMENT - 22), Math.min(size, LONGEST_COMMENT + 22));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1;
    if (end < 0) throw new Error(`${archive} is no zip archive`);
    const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));

    for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === DIRECTORY_ENTRY;) {
      const nameLength = directory.readUInt16LE(at + 28);
      if (directory.toString('utf8', at + 46, at + 46 + nameLength) === member) {
        const method = directory.readUInt16LE(at + 10);
        if (method !== 0 && method !== 8) throw new Error(`${member} in ${archive} is compressed by method ${method}`);
        const length = directory.readUInt32LE(at + 20);
        const offset = directory.readUInt32LE(at + 42);
        const local = await read(offset, 30);
        if (local.readUInt32LE(0) !== LOCAL_HEADER) throw new Error(`${archive} is a damaged zip archive`);
        const start = offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
        if (start + length > size) throw new Error(`${archive} is a damaged zip archive`);
        return { start, length, method };
      }
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
  } finally {
    await file.close();
  }
  throw new Error(`${archive} has no member ${member}`);
}
