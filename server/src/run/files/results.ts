/**
 * Where results lie and how they are written: `output_dir/NAME/<run id>/NAME.layerif-result.json`, with
 * `grams.safetensors` beside it and, while a run is under way, a folder `partial`. A run id is the UTC time and 6 hex
 * digits of what was scored.
 */
import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { isOwn, lockOwner, releaseLock, takeLock } from '../../hub/lock.ts';
import { readFileOf } from './readFile.ts';
import { RESULT_SUFFIX } from '../../../../protocol/result.ts';
import type { Result } from '../../../../protocol/result.ts';
import { readText } from '../../files/textFile.ts';
import { cannotWrite, makeFolder, makeFolders } from '../../files/writing.ts';

const RUN_ID = /^\d{8}T\d{6}Z-([0-9a-f]{6})$/;

/** File name without `.layerif.yaml`; for `layerif.yaml` the folder's name. */
export function experimentName(file: string): string {
  const base = path.basename(file).replace(/\.(ya?ml|json)$/i, '');
  const name = base.replace(/\.layerif$/i, '');
  return name.toLowerCase() === 'layerif' ? path.basename(path.dirname(path.resolve(file))) : name;
}

/** NAME of `NAME.layerif-result.json`. */
export function experimentNameOfResult(resultFile: string): string {
  return path.basename(resultFile).replace(/(\.layerif-[a-z]+)?\.json$/, '');
}

export function newRunId(hash: string, now: Date): string {
  return `${now.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '')}-${hash.slice(0, 6)}`;
}

export interface RunFolder {
  runId: string;
  folder: string;
  resultFile: string;
  /** Whether an interrupted run of the same hash is continued. */
  resumed: boolean;
}

/**
 * The folder of an interrupted run of the same hash, else a new one.
 * @param suffix of the result file, which says `status: partial` while a run is under way
 * @throws LayerifError `cannotWrite`
 */
export function openRunFolder(
  outputDir: string,
  name: string,
  hash: string,
  suffix: string = RESULT_SUFFIX,
): RunFolder {
  const parent = path.join(outputDir, name);
  const at = (runId: string, resumed: boolean): RunFolder => {
    const folder = path.join(parent, runId);
    return { runId, folder, resultFile: path.join(folder, `${name}${suffix}`), resumed };
  };
  for (const entry of runFolders(parent)) {
    if (RUN_ID.exec(entry)?.[1] !== hash.slice(0, 6)) continue;
    const candidate = at(entry, true);
    if (!isOpen(candidate) || !lock(candidate.folder)) continue;
    if (!isOpen(candidate)) {
      // It was finished in between.
      fs.rmSync(path.join(candidate.folder, 'partial'), { recursive: true, force: true });
      continue;
    }
    removeTemporary(candidate.folder);
    return candidate;
  }
  for (;;) {
    const runId = newFolder(parent, (now) => newRunId(hash, now));
    const fresh = at(runId, false);
    if (lock(fresh.folder)) return fresh; // else one that looked for an interrupted run took it
  }
}

/**
 * Makes a folder that nobody has: of the present second, or of the next that is free where two begin at once.
 * @returns its name
 * @throws LayerifError `cannotWrite`
 */
export function newFolder(parent: string, nameAt: (date: Date) => string): string {
  makeFolder(parent);
  for (let time = Date.now(); ; time += 1000) {
    const name = nameAt(new Date(time));
    try {
      fs.mkdirSync(path.join(parent, name));
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(path.join(parent, name), error);
    }
  }
}

/** The newest run folder of the hash, whatever its status; `resultFile` may be missing. */
export function runOfHash(
  outputDir: string,
  name: string,
  hash: string,
  suffix: string = RESULT_SUFFIX,
): Pick<RunFolder, 'runId' | 'folder' | 'resultFile'> | null {
  const parent = path.join(outputDir, name);
  const runId = runFolders(parent).find((entry) => RUN_ID.exec(entry)?.[1] === hash.slice(0, 6));
  if (runId === undefined) return null;
  const folder = path.join(parent, runId);
  return { runId, folder, resultFile: path.join(folder, `${name}${suffix}`) };
}

/** Whether a run was interrupted here, perhaps before its first result, or before anything was in its folder. */
function isOpen({ folder, resultFile }: RunFolder): boolean {
  if (fs.existsSync(resultFile)) return readStatus(resultFile) === 'partial';
  return fs.existsSync(path.join(folder, 'partial')) || fs.readdirSync(folder).length === 0;
}

/** What a process that was killed while it wrote has left (checkpoints/fileBytes.ts). */
function removeTemporary(folder: string): void {
  const left = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of left.filter((name) => /^\..+\.\d+\.tmp$/.test(path.basename(name))))
    fs.rmSync(path.join(folder, file), { force: true });
}

/** Takes the folder for this process, which may have it already; false when another living process has it. */
function lock(folder: string): boolean {
  const file = lockFile(folder);
  try {
    makeFolders(path.dirname(file));
    return takeLock(file) || isOwn(lockOwner(file));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

/** For another process to go on with, where the run was interrupted. */
export function leaveRunFolder({ folder }: Pick<RunFolder, 'folder'>): void {
  releaseLock(lockFile(folder));
}

const lockFile = (folder: string) => path.join(folder, 'partial', 'lock');

/** A reader sees the old file or the new one. @throws LayerifError `cannotWrite` */
export function writeJson(file: string, value: unknown): void {
  try {
    writeAtomically(file, [Buffer.from(`${JSON.stringify(value)}\n`)]);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

/**
 * @throws LayerifError `badRequest` for a file that is not a result of a version that this program knows, or a damaged
 *   one
 */
export function readResult(file: string): Result {
  return readFileOf('result', file, 'give a file NAME.layerif-result.json, as layerif score writes it');
}

/** Files of an experiment's runs, newest first: results, or those of another suffix. */
export function resultFiles(outputDir: string, name: string, suffix: string = RESULT_SUFFIX): string[] {
  const parent = path.join(outputDir, name);
  return runFolders(parent)
    .map((run) => path.join(parent, run, `${name}${suffix}`))
    .filter((file) => fs.existsSync(file));
}

/** Run ids, newest first. */
function runFolders(parent: string): string[] {
  try {
    return fs
      .readdirSync(parent)
      .filter((entry) => RUN_ID.test(entry))
      .sort()
      .reverse();
  } catch {
    return [];
  }
}

/** Of any of our result files; null where there is none that can be read. */
function readStatus(file: string): string | null {
  try {
    return (JSON.parse(readText(file, 'result')) as { status?: string }).status ?? null;
  } catch {
    return null;
  }
}
