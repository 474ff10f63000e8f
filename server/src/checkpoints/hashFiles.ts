/**
 * SHA-256 of files, remembered in the user's cache folder by real path, size and time of change: a model of many gigabytes is
 * hashed once. A cache that cannot be read or written costs only time.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';

type Cache = Record<string, { size: number; mtimeMs: number; sha256: string }>;

/** Hex digests in the order of `files`. @throws LayerifError `failed` for a file that cannot be read */
export async function hashFiles(files: readonly string[]): Promise<string[]> {
  const cacheFile = path.join(cacheFolder(), 'sha256.json');
  const cache = readCache(cacheFile);
  let changed = false;
  const digests: string[] = [];
  for (const file of files) {
    const real = fs.realpathSync(file);
    const { size, mtimeMs } = fs.statSync(real);
    const known = cache[real];
    if (known && known.size === size && known.mtimeMs === mtimeMs) {
      digests.push(known.sha256);
      continue;
    }
    const sha256 = await hash(real);
    cache[real] = { size, mtimeMs, sha256 };
    changed = true;
    digests.push(sha256);
  }
  if (changed) writeCache(cacheFile, cache);
  return digests;
}

/** One hash over the hex hashes of several files. */
export function hashOfHashes(hashes: readonly string[]): string {
  return createHash('sha256').update(hashes.join('')).digest('hex');
}

/** LayerIF's folder in the platform's cache folder. */
export function cacheFolder(): string {
  const home = os.homedir();
  const platform: Partial<Record<NodeJS.Platform, string>> = {
    darwin: path.join(home, 'Library', 'Caches'),
    win32: process.env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'),
  };
  return path.join(process.env.XDG_CACHE_HOME || platform[process.platform] || path.join(home, '.cache'), 'layerif');
}

async function hash(file: string): Promise<string> {
  const digest = createHash('sha256');
  try {
    for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 22 })) digest.update(chunk as Buffer);
  } catch (error) {
    throw new LayerifError('failed', `cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  return digest.digest('hex');
}

function readCache(file: string): Cache {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Cache;
  } catch {
    return {};
  }
}

function writeCache(file: string, cache: Cache): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(temporary, JSON.stringify(cache));
    fs.renameSync(temporary, file);
  } catch {
    fs.rmSync(temporary, { force: true });
  }
}
