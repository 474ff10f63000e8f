/**
 * SHA-256 of files, remembered in the user's cache folder by real path, size and times (mtime, which a copy may keep,
 * and ctime, which it changes): a model of many gigabytes is hashed once. Files that are gone are forgotten. A cache
 * that cannot be read or written costs only time.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { writeAtomically } from './fileBytes.ts';
import { requireRegularFile } from '../files/textFile.ts';
import { makeFolders } from '../files/writing.ts';
import { faultWords } from '../files/reading.ts';

const HOUR = 3_600_000;

type Cache = Map<string, { size: number; mtimeMs: number; ctimeMs: number; sha256: string }>;

/** Hex digests in the order of `files`. @throws LayerifError `failed` for a file that cannot be read */
export async function hashFiles(files: readonly string[]): Promise<string[]> {
  const cacheFile = path.join(cacheFolder(), 'sha256.json');
  const cache = readCache(cacheFile);
  let changed = false;
  const digests: string[] = [];
  for (const file of files) {
    try {
      const real = fs.realpathSync(file);
      const { size, mtimeMs, ctimeMs } = fs.statSync(real);
      const known = cache.get(real);
      if (known?.size === size && known.mtimeMs === mtimeMs && known.ctimeMs === ctimeMs) {
        digests.push(known.sha256);
        continue;
      }
      const sha256 = await hash(real);
      cache.set(real, { size, mtimeMs, ctimeMs, sha256 });
      changed = true;
      digests.push(sha256);
    } catch (error) {
      throw new LayerifError('failed', `cannot read ${file}: ${faultWords(error)}`, {
        place: { file },
        cause: error,
      });
    }
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
  requireRegularFile(file);
  const digest = createHash('sha256');
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 1 << 22 })) digest.update(chunk as Buffer);
  return digest.digest('hex');
}

/** Entries that another program or version left in another form are as good as none. */
function readCache(file: string): Cache {
  const cache: Cache = new Map();
  try {
    for (const [name, entry] of Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')) as object)) {
      const { size, mtimeMs, ctimeMs, sha256 } = (entry ?? {}) as Record<string, unknown>;
      if (typeof size !== 'number' || typeof mtimeMs !== 'number' || typeof ctimeMs !== 'number') continue;
      if (typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256))
        cache.set(name, { size, mtimeMs, ctimeMs, sha256 });
    }
  } catch {
    // no cache yet, or an unreadable one
  }
  return cache;
}

function writeCache(file: string, cache: Cache): void {
  const present = [...cache].filter(([name]) => fs.existsSync(name));
  try {
    makeFolders(path.dirname(file));
    removeTemporary(file);
    writeAtomically(file, [Buffer.from(JSON.stringify(Object.fromEntries(present)))]);
  } catch {
    // the next run hashes again
  }
}

/** What processes that were killed while they wrote the cache have left; a younger one may still be written. */
function removeTemporary(file: string): void {
  const folder = path.dirname(file);
  for (const name of fs.readdirSync(folder)) {
    if (!name.startsWith(`.${path.basename(file)}.`) || !name.endsWith('.tmp')) continue;
    const left = path.join(folder, name);
    if (fs.statSync(left).mtimeMs < Date.now() - HOUR) fs.rmSync(left, { force: true });
  }
}
