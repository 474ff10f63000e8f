/**
 * Which model an unfinished run is computed from. A model that is written anew while a run reads it would give layers
 * of both; what is finished is trusted only while the model's files keep length and times, in the run itself and when
 * it is resumed (finished.ts). The contents alone do not tell: a file may have been another one in between.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';

/** Length and times of every file that decides what the model computes. */
export function modelStamp({ path: target, files, adapter }: Pick<Checkpoint, 'path' | 'files' | 'adapter'>): string {
  const configs = [
    // A single file holds its configuration. By kind, not by name: `files` are real paths, `target` may lead through a
    // link.
    ...(fs.statSync(target, { throwIfNoEntry: false })?.isDirectory() ? [path.join(target, 'config.json')] : []),
    ...(adapter ? [path.join(adapter.path, 'adapter_config.json')] : []),
  ];
  return [...files, ...configs]
    .map((file) => {
      const stat = fs.statSync(file, { throwIfNoEntry: false });
      return stat ? `${file} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : file;
    })
    .join('\n');
}

/** @throws LayerifError `badModel` that names the file */
export function requireUnchanged(checkpoint: Pick<Checkpoint, 'path' | 'files' | 'adapter'>, stamp: string): void {
  const now = modelStamp(checkpoint).split('\n');
  const at = stamp.split('\n').findIndex((line, i) => line !== now[i]);
  if (at < 0) return;
  const file = [...checkpoint.files][at] ?? checkpoint.path;
  const what = fs.existsSync(file) ? 'was changed' : 'was removed';
  throw new LayerifError(
    'badModel',
    `${file} ${what} while the run was reading it, so its layers would be of two models; run again, which starts anew with the model as it is now`,
    { place: { file } },
  );
}
