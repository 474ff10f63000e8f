/**
 * The bytes of one file of a commit into a file of the disk, which may hold the first of them already: what a commit
 * holds never changes, so a connection that is cut, and a run that ended, go on where they were (a Range request).
 * Bytes are written at their place and never after another writer's, so that two downloads of one file do no harm.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LayerifError } from '../../../protocol/errors.ts';
import type { HubRepo, RemoteFile } from './cache.ts';
import { badRepo, cannotCache, HubRefusal } from './errors.ts';
import { addressOf, requestOnce } from './remote.ts';

/** Tries in a row that bring no byte. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** A connection that brings nothing for so long counts as cut. */
const STALL_MS = 30_000;

/**
 * @param onBytes how many bytes of the file are there
 * @throws LayerifError for bytes with another checksum and what the disk refuses; HubRefusal; the network's error after
 *   the last try
 */
export async function transfer(
  repo: HubRepo,
  commit: string,
  file: RemoteFile,
  part: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const address = addressOf(repo, commit, file);
  const before = sizeOf(part);
  await receive(address, file, part, onBytes, signal);
  if ((await blobName(part, file)) === file.etag) return;
  fs.rmSync(part, { force: true });
  // The first bytes came from another run, or another program: once more, all from the hub.
  if (before > 0) {
    await receive(address, file, part, onBytes, signal);
    if ((await blobName(part, file)) === file.etag) return;
    fs.rmSync(part, { force: true });
  }
  throw badRepo(
    repo,
    `${file.path} of ${repo.id} arrived with another checksum than the hub names (${address}, ${file.etag}): something changed it on its way; run again, or take another HF_ENDPOINT`,
  );
}

async function receive(
  address: string,
  file: RemoteFile,
  part: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let failures = 0; ;) {
    const before = sizeOf(part);
    try {
      return await receiveOnce(address, file, part, onBytes, signal);
    } catch (error) {
      if (error instanceof HubRefusal || error instanceof LayerifError || signal?.aborted || isDiskError(error)) {
        throw isDiskError(error) ? cannotCache(error) : error;
      }
      failures = sizeOf(part) > before ? 1 : failures + 1;
      if (failures >= TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (failures - 1), undefined, signal ? { signal } : {});
    }
  }
}

async function receiveOnce(
  address: string,
  { size }: RemoteFile,
  part: string,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  // Longer than the file: of something else.
  if (sizeOf(part) > size) fs.rmSync(part);
  const have = sizeOf(part);
  const disk = await open(part, fs.constants.O_RDWR | fs.constants.O_CREAT);
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), STALL_MS);
  try {
    onBytes(have);
    if (have === size) return;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (have > 0) headers.range = `bytes=${have}-`;
    const answer = await requestOnce(
      address,
      { headers },
      AbortSignal.any([stalled.signal, ...(signal ? [signal] : [])]),
    );
    let at = answer.status === 206 ? startOf(answer, have) : 0;
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      timer = setTimeout(() => stalled.abort(), STALL_MS);
      if (at + chunk.length > size) throw new HubRefusal(answer.status, 'longer than its listing says', address);
      for (let written = 0; written < chunk.length;) {
        written += (await disk.write(chunk, written, chunk.length - written, at + written)).bytesWritten;
      }
      at += chunk.length;
      onBytes(at);
    }
    if (at < size) throw new Error(`${address}: the connection ended at byte ${at} of ${size}`);
    await disk.sync();
  } finally {
    clearTimeout(timer);
    await disk.close();
  }
}

/**
 * Where a partial answer starts; a server that answers another range than asked for is not to be trusted with offsets.
 */
export function startOf(answer: Response, asked: number): number {
  const start = /^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1];
  if (Number(start) !== asked)
    throw new HubRefusal(answer.status, `range ${start ?? 'missing'} for ${asked}`, answer.url);
  return asked;
}

/** The name that the bytes have as a blob: SHA-256, or git's hash where the listing has that. */
async function blobName(part: string, { size, etag }: RemoteFile): Promise<string> {
  const hash = etag.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of fs.createReadStream(part, { highWaterMark: 1 << 22 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EFBIG'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
