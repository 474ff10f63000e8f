/** Files of known content: hashed while they are written, moved into place only when the hash is right. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Hex SHA-256 of a file's bytes. */
export async function sha256(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** Size in bytes, or -1 when there is no such file. */
export async function sizeOf(file) {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : -1;
  } catch {
    return -1;
  }
}

/**
 * Writes `target` atomically from what `write(sink)` puts into a stream.
 * @throws Error when the bytes have another hash; `target` is untouched then
 */
export async function writeChecked(target, expected, write) {
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}.tmp`;
  const hash = createHash('sha256');
  const sink = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const written = pipeline(sink, createWriteStream(temporary));
    // Both ends have to be at rest before the temporary file can go.
    await Promise.all([write(sink).catch((error) => sink.destroy(error)), written]);
    const digest = hash.digest('hex');
    if (digest !== expected) throw new Error(`${target} would have SHA-256 ${digest}, expected ${expected}`);
    await settle(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Puts a finished file in its place: its bytes are on the disk before its name is. */
export async function settle(temporary, target) {
  const file = await open(temporary, 'r+');
  await file.sync();
  await file.close();
  await rename(temporary, target);
}
