/** Whole pieces of files, and files that appear under their name only when they are complete. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { ByteSource } from '../files/byteSource.ts';
import { HEAD_BYTES } from '../files/mistaken.ts';
import { unreadableWords } from '../files/reading.ts';
import { requireRegularFile } from '../files/textFile.ts';
import type { TensorInfo } from './types.ts';

/** Most bytes of one system call; more than 2 GiB is refused by some systems. */
const CALL = 1 << 30;

/** Opens a regular file for reading; anything else (a pipe!) might block. @throws LayerifError `badModel` */
export function openForReading(file: string): number {
  try {
    requireRegularFile(file);
    return fs.openSync(file, 'r');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const what = missing ? 'does not exist' : `cannot be read: ${unreadableWords(error)}`;
    throw new LayerifError('badModel', `${file} ${what}; copy or download it again`, { place: { file }, cause: error });
  }
}

/** Lets `work` read a regular file, which is closed behind it. @throws LayerifError `badModel` */
export function withFile<T>(file: string, work: (source: ByteSource) => T): T {
  const fd = openForReading(file);
  try {
    return work({ name: file, size: fs.fstatSync(fd).size, read: (into, at) => readAll(fd, into, at) });
  } finally {
    fs.closeSync(fd);
  }
}

/** @returns bytes that were read, fewer than `into` has only where the file ends */
function readAll(fd: number, into: Uint8Array, from: number): number {
  let at = 0;
  while (at < into.length) {
    const got = fs.readSync(fd, into, at, Math.min(into.length - at, CALL), from + at);
    if (got === 0) break;
    at += got;
  }
  return at;
}

/** First bytes of a file, for what was taken for it. */
export function headOf(source: ByteSource): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  return head.subarray(0, source.read(head, 0));
}

/** The stored bytes of a tensor. @throws LayerifError `badModel` when the file became shorter since it was opened */
export function readTensorBytes(
  { file, name, offset, byteLength }: Pick<TensorInfo, 'file' | 'name' | 'offset' | 'byteLength'>,
  into = new Uint8Array(byteLength),
): Uint8Array<ArrayBuffer> {
  const got = withFile(file, (source) => source.read(into.subarray(0, byteLength), offset));
  if (got < byteLength) {
    throw new LayerifError(
      'badModel',
      `${file} ends inside tensor ${name} (at byte ${offset + got}); it was changed since it was opened`,
    );
  }
  return into;
}

/**
 * Writes `parts` one after the other into a temporary file of the same folder, has them on the disk, then renames it. A
 * device or a pipe of that name is left alone: the new file would take its place.
 * @throws the file system's error; `file` is untouched then
 */
export function writeAtomically(file: string, parts: Iterable<NodeJS.ArrayBufferView>): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    const there = fs.statSync(file, { throwIfNoEntry: false });
    if (there && !there.isFile() && !there.isDirectory())
      throw Object.assign(new Error('it is no regular file'), { code: 'ENOTFILE' });
    const fd = fs.openSync(temporary, 'w');
    try {
      for (const { buffer, byteOffset, byteLength } of parts) {
        const bytes = new Uint8Array(buffer, byteOffset, byteLength);
        // A call may write less than it was given, for example close to a full disk.
        for (let at = 0; at < byteLength;) at += fs.writeSync(fd, bytes, at, Math.min(byteLength - at, CALL));
      }
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    // The system's own error names no file when a disk fills up, and a temporary one else.
    throw Object.assign(error as Error, { path: file, syscall: 'write' });
  }
}
