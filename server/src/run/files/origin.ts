/**
 * Which model an unfinished run was computed from. A model that is written anew while a run reads it would give layers of both; what is
 * finished is trusted only while the model's files keep length and times, in the run itself and when it is resumed. The contents alone
 * do not tell: a file may have been another one in between.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { writeJson } from './results.ts';
import type { RunFolder } from './results.ts';

const ORIGIN_FILE = 'origin.json';

interface Origin {
  /** Whole hash of what is scored; a run id has six digits of it. */
  hash: string;
  stamp: string;
}

/** Length and times of every file that decides what the model computes. */
export function modelStamp({ path: target, files, adapter }: Pick<Checkpoint, 'path' | 'files' | 'adapter'>): string {
  const configs = [
    ...(files.includes(target) ? [] : [path.join(target, 'config.json')]), // a single file holds its configuration
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

/**
 * Takes over the finished layers of an interrupted run, or removes them where they may be of another model.
 * @returns why they were removed, or null
 * @throws LayerifError `cannotWrite`
 */
export function settleOrigin({ folder, resumed }: RunFolder, origin: Origin): string | null {
  const partial = path.join(folder, 'partial');
  const file = path.join(partial, ORIGIN_FILE);
  let note: string | null = null;
  if (resumed && JSON.stringify(readOrigin(file)) !== JSON.stringify(origin)) {
    if (discard({ folder }))
      note = `the model's files were written since the run was interrupted, so its finished layers are computed anew`;
  }
  writeJson(file, origin);
  return note;
}

/** Removes finished layers, which are worth nothing where they may be of two models. @returns whether there were any */
export function discard({ folder }: Pick<RunFolder, 'folder'>): boolean {
  const partial = path.join(folder, 'partial');
  const tasks = fs.readdirSync(partial).filter((entry) => entry.startsWith('task-'));
  for (const name of tasks) fs.rmSync(path.join(partial, name), { recursive: true, force: true });
  return tasks.length > 0;
}

function readOrigin(file: string): Origin | null {
  try {
    const { hash, stamp } = JSON.parse(fs.readFileSync(file, 'utf8')) as Origin;
    return { hash, stamp };
  } catch {
    return null; // an interrupted run without it cannot be trusted either
  }
}
