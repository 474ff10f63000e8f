/**
 * Files of a commit into the shared cache: bytes into `blobs/<etag>.layerif.incomplete`, checked, renamed to
 * `blobs/<etag>`, linked into the snapshot. The name of the unfinished file is our own, because Python tools append to
 * theirs and check only the length; one that they left behind a while ago is taken over and checked like our own.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { missingOf, repoFolder, snapshotFolder, writeListing, writeRef } from './cache.ts';
import type { HubRepo, Listing, RemoteFile } from './cache.ts';
import { hubCacheFolder } from './environment.ts';
import { asHubError, cannotCache } from './errors.ts';
import type { Wanted } from './errors.ts';
import { withLock } from './lock.ts';
import { transfer } from './transfer.ts';
import { makeFolders } from '../files/writing.ts';

/** Connections at a time. */
const PARALLEL = 3;
/** huggingface_hub gives up a connection that is silent for far less. */
const ABANDONED_MS = 60_000;

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Bytes that are there, of all files that were missing. */
  onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Bytes that are still to come. */
export function bytesToFetch(repo: HubRepo, files: readonly RemoteFile[]): number {
  return files.reduce((sum, file) => sum + Math.max(0, file.size - presentBytes(blobFile(repo, file))), 0);
}

/**
 * @param files of the listing; those in the cache are left as they are
 * @returns the snapshot's folder
 * @throws LayerifError `notEnoughDisk`, `cannotWrite`, `cancelled`, what the hub refuses, bytes with a wrong checksum
 */
export async function downloadFiles(
  wanted: Wanted,
  listing: Listing,
  files: readonly RemoteFile[],
  { signal, onProgress }: DownloadOptions = {},
): Promise<string> {
  const { repo, revision } = wanted;
  const missing = missingOf(repo, { ...listing, files: [...files] });
  const snapshot = snapshotFolder(repo, listing.commit);
  try {
    makeFolders(path.join(repoFolder(repo), 'blobs'));
    makeFolders(snapshot);
    writeListing(repo, listing);
  } catch (error) {
    throw cannotCache(error);
  }
  requireDisk(wanted, missing);
  const there = new Map<RemoteFile, number>();
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  const one = async (file: RemoteFile, stop: AbortSignal): Promise<void> => {
    const blob = blobFile(repo, file);
    const report = (bytes: number): void => {
      there.set(file, bytes);
      onProgress?.(
        [...there.values()].reduce((sum, n) => sum + n, 0),
        total,
      );
    };
    await fetchBlob(repo, listing.commit, file, blob, report, stop);
    report(file.size);
    link(blob, path.join(snapshot, ...file.path.split('/')));
  };
  try {
    await inParallel(missing, one, signal);
    writeRef(repo, revision, listing.commit);
  } catch (error) {
    const isOurs = error instanceof LayerifError || (error as NodeJS.ErrnoException).syscall === undefined;
    throw isOurs || signal?.aborted ? asHubError(error, wanted, signal) : cannotCache(error);
  }
  return snapshot;
}

async function fetchBlob(
  repo: HubRepo,
  commit: string,
  file: RemoteFile,
  blob: string,
  report: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const isThere = (): boolean => fs.statSync(blob, { throwIfNoEntry: false })?.size === file.size;
  if (isThere()) return;
  const part = `${blob}.layerif.incomplete`;
  const work = async (): Promise<void> => {
    if (isThere()) return; // another process was first
    adopt(`${blob}.incomplete`, part);
    await transfer(repo, commit, file, part, report, signal);
    fs.renameSync(part, blob);
  };
  await withLock(`${blob}.layerif.lock`, work, signal, () => report(sizeOf(part)));
}

/** Takes over what another program left unfinished, when nobody writes to it any more. */
function adopt(foreign: string, part: string): void {
  const left = fs.statSync(foreign, { throwIfNoEntry: false });
  if (!left || Date.now() - left.mtimeMs < ABANDONED_MS || left.size <= sizeOf(part)) return;
  fs.renameSync(foreign, part);
}

/** A relative link, as Python tools make it; where there are no links (Windows), a second name or a copy. */
function link(blob: string, pointer: string): void {
  makeFolders(path.dirname(pointer));
  const temporary = `${pointer}.${process.pid}.tmp`;
  fs.rmSync(temporary, { force: true });
  try {
    fs.symlinkSync(path.relative(path.dirname(pointer), blob), temporary);
  } catch {
    try {
      fs.linkSync(blob, temporary);
    } catch {
      fs.copyFileSync(blob, temporary);
    }
  }
  fs.renameSync(temporary, pointer);
}

/** The first failure stops the others. */
async function inParallel(
  files: readonly RemoteFile[],
  work: (file: RemoteFile, stop: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const stop = AbortSignal.any([failed.signal, ...(signal ? [signal] : [])]);
  const left = [...files];
  let first: unknown = null;
  const worker = async (): Promise<void> => {
    for (let file = left.shift(); file && !stop.aborted; file = left.shift()) {
      try {
        await work(file, stop);
      } catch (error) {
        first ??= error;
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  if (first !== null) throw first as Error;
  signal?.throwIfAborted();
}

function requireDisk({ repo }: Wanted, missing: readonly RemoteFile[]): void {
  const needed = bytesToFetch(repo, missing);
  const { bavail, bsize } = fs.statfsSync(repoFolder(repo));
  if (needed <= bavail * bsize) return;
  throw new LayerifError(
    'notEnoughDisk',
    `${repo.type} ${repo.id} needs ${megabytes(needed)} more, the disk of the Hugging Face cache ${hubCacheFolder()} has ${megabytes(bavail * bsize)}; free some space, or choose another folder with HF_HUB_CACHE`,
  );
}

/** `269 MB`, as the hub counts. */
export function megabytes(bytes: number): string {
  if (bytes >= 1e10) return `${Math.round(bytes / 1e9)} GB`;
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

function blobFile(repo: HubRepo, { etag }: RemoteFile): string {
  return path.join(repoFolder(repo), 'blobs', etag);
}

function presentBytes(blob: string): number {
  return Math.max(sizeOf(blob), sizeOf(`${blob}.layerif.incomplete`));
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
