/**
 * The cache folder that Hugging Face tools share: `<cache>/models--<org>--<name>/` (datasets: `datasets--...`) holds
 *
 *   blobs/<etag>              the bytes of a file, named by its SHA-256 (LFS) or its git hash
 *   snapshots/<commit>/<path> a link to the blob
 *   refs/<revision>           the commit of a branch or tag
 *   .layerif/<commit>.json    which files the commit has: only ours, so that a later run knows what is missing without asking the hub
 *
 * Nothing here uses the network.
 */
import fs from 'node:fs';
import path from 'node:path';
import { hubCacheFolder } from './environment.ts';
import { makeFolders } from '../files/writing.ts';

export interface HubRepo {
  type: 'model' | 'dataset';
  /** `org/name`; old datasets have no organisation. */
  id: string;
}

export interface RemoteFile {
  /** Within the repository, with `/`. */
  path: string;
  /** Bytes. */
  size: number;
  /**
   * Name of the blob: hex SHA-256 of the bytes, or for files outside of LFS the git hash (SHA-1 of `blob <size>\0` and
   * the bytes).
   */
  etag: string;
}

/** What a commit of a repository holds. */
export interface Listing {
  commit: string;
  files: RemoteFile[];
}

const COMMIT = /^[0-9a-f]{40}$/;

/** `org/name`, as the hub allows it. */
export function isHubId(target: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(target) && !/--|\.\./.test(target);
}

/** As for a model, or the bare name of an old dataset such as `imdb`. */
export function isDatasetId(target: string): boolean {
  return isHubId(target) || (/^[A-Za-z0-9][\w-]*$/.test(target) && !target.includes('--'));
}

export function repoFolder({ type, id }: HubRepo): string {
  return path.join(hubCacheFolder(), `${type}s--${id.replace('/', '--')}`);
}

/** The commit that a branch, tag or commit stands for in the cache, or null. */
export function cachedCommit(repo: HubRepo, revision = 'main'): string | null {
  const folder = repoFolder(repo);
  const refs = path.join(folder, 'refs');
  const file = path.join(refs, revision);
  if (file.startsWith(refs + path.sep) && fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    const commit = fs.readFileSync(file, 'utf8').trim();
    if (/^[0-9a-f]{7,64}$/.test(commit)) return commit;
  }
  return /^[0-9a-f]{7,64}$/.test(revision) && fs.existsSync(snapshotFolder(repo, revision)) ? revision : null;
}

export function snapshotFolder(repo: HubRepo, commit: string): string {
  return path.join(repoFolder(repo), 'snapshots', commit);
}

/** Remembers the commit of a branch or tag. @throws the file system's error */
export function writeRef(repo: HubRepo, revision: string, commit: string): void {
  if (revision === commit) return;
  const refs = path.join(repoFolder(repo), 'refs');
  const file = path.join(refs, revision);
  if (file.startsWith(refs + path.sep)) replaceFile(file, commit);
}

/** What is known of a commit since it was asked for the last time, or null. */
export function readListing(repo: HubRepo, commit: string): Listing | null {
  try {
    const listing = JSON.parse(fs.readFileSync(listingFile(repo, commit), 'utf8')) as Listing;
    return listing.commit === commit && Array.isArray(listing.files) && listing.files.every(isSafe) ? listing : null;
  } catch {
    return null; // never asked, or damaged
  }
}

/** @throws the file system's error */
export function writeListing(repo: HubRepo, listing: Listing): void {
  replaceFile(listingFile(repo, listing.commit), JSON.stringify(listing));
}

/** Whether a file of a snapshot lies in the cache as a whole. */
function isCached(repo: HubRepo, commit: string, { path: name, size }: RemoteFile): boolean {
  return fs.statSync(path.join(snapshotFolder(repo, commit), name), { throwIfNoEntry: false })?.size === size;
}

/** Files of a listing that do not lie in the cache as a whole. @param names only of these; default: of all */
export function missingOf(repo: HubRepo, { commit, files }: Listing, names?: readonly string[]): RemoteFile[] {
  return files.filter((file) => (names?.includes(file.path) ?? true) && !isCached(repo, commit, file));
}

/** Ids of the repositories in the cache. */
export function cachedIds(type: HubRepo['type']): string[] {
  try {
    return fs
      .readdirSync(hubCacheFolder())
      .filter((name) => name.startsWith(`${type}s--`))
      .map((name) => name.slice(type.length + 3).replace('--', '/'));
  } catch {
    return [];
  }
}

/** Whether a name that came over the network may become a path. */
export function isSafe({ path: name, size, etag }: RemoteFile): boolean {
  const parts = name.split('/');
  return (
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !/[\\\0:]/.test(name) &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)
  );
}

export function isCommit(text: unknown): text is string {
  return typeof text === 'string' && COMMIT.test(text);
}

function listingFile(repo: HubRepo, commit: string): string {
  return path.join(repoFolder(repo), '.layerif', `${commit}.json`);
}

function replaceFile(file: string, text: string): void {
  makeFolders(path.dirname(file));
  const temporary = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(temporary, text);
  fs.renameSync(temporary, file);
}
