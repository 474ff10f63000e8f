/** Where the model of an experiment lies: paths are relative to the experiment's folder, all else is a hub id. */
import fs from 'node:fs';
import path from 'node:path';
import type { OpenOptions } from '../../checkpoints/openCheckpoint.ts';

/** What `openCheckpoint` needs to know beside the path. */
export function openOptions(
  { revision, adapter }: { revision?: string | undefined; adapter?: string | undefined },
  baseDir: string,
): OpenOptions {
  return { revision, adapter: adapter === undefined ? undefined : path.resolve(baseDir, adapter) };
}

/** A path relative to the experiment's folder when it exists there, else as written (a hub id or a wrong path). */
export function resolveModel(modelPath: string, baseDir: string): string {
  const looksLikeId = /^[\w.-]+\/[\w.-]+$/.test(modelPath) && !modelPath.startsWith('.');
  const absolute = path.resolve(baseDir, modelPath);
  return looksLikeId && !fs.existsSync(absolute) ? modelPath : absolute;
}
