/**
 * Folders that are made and what is said when something cannot be written: one sentence with the path and what to do.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { urlIn } from '../text/url.ts';
import { lookup } from '../text/lookup.ts';

const OTHER_FOLDER = 'choose another folder with output_dir or --output';
const MORE_SPACE = 'free some space and run again, what is finished is kept';

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: `the disk is full; ${MORE_SPACE}`,
  EDQUOT: `your share of the disk is full; ${MORE_SPACE}`,
  EFBIG: `the file is larger than the disk or a limit (ulimit -f) allows; ${OTHER_FOLDER}`,
  EACCES: `permission is missing; ${OTHER_FOLDER}`,
  EPERM: `permission is missing; ${OTHER_FOLDER}`,
  EROFS: `the disk is read-only; ${OTHER_FOLDER}`,
  ENOTDIR: `a part of the path is a file; ${OTHER_FOLDER}`,
  EEXIST: `a part of the path is a file; ${OTHER_FOLDER}`,
  ENOTFILE: 'it is a device or a pipe, whose place the file would take; give a file with --output',
  EISDIR: 'there is a folder of that name; give a file with --output',
  ENOENT: 'no folder can be made there; choose another with output_dir or --output',
  ENAMETOOLONG: `the path is too long; ${OTHER_FOLDER}`,
  ELOOP: `its symbolic links form a circle; ${OTHER_FOLDER}`,
  EIO: `the disk reports an error; ${OTHER_FOLDER}`,
};

/** What is said of the file system's error. @param file null: the error does not tell */
export function cannotWrite(file: string | null, error: unknown): LayerifError {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' && syscall === 'write' && file !== null
      ? `there is no folder ${path.dirname(file)}; make it, or give another with --output`
      : (lookup(reasons, code) ?? message);
  return new LayerifError('cannotWrite', `cannot write${file === null ? '' : ` ${file}`}: ${why}`, { cause: error });
}

/** Whether an error is the file system's, about writing. */
export function isWriteError(error: unknown): error is NodeJS.ErrnoException {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return (
    error instanceof Error &&
    code !== undefined &&
    Object.hasOwn(reasons, code) &&
    (code === 'ENOSPC' || code === 'EDQUOT' || /^(write|mkdir|rename|link|symlink|truncate|fsync)/.test(syscall ?? ''))
  );
}

/**
 * The folder and those above it, one at a time from the first that is missing. `mkdir` with `recursive` never comes
 * back where a system answers that a parent is missing although it is there, as Linux does below /proc.
 * @returns those that were made, the outermost first
 * @throws the file system's error
 */
export function makeFolders(folder: string): string[] {
  const missing: string[] = [];
  let at = path.resolve(folder);
  while (!fs.existsSync(at) && path.dirname(at) !== at) {
    missing.unshift(at);
    at = path.dirname(at);
  }
  if (!fs.statSync(at).isDirectory())
    throw Object.assign(new Error(`${at} is a file`), { code: 'ENOTDIR', syscall: 'mkdir', path: at });
  const made: string[] = [];
  for (const name of missing) {
    try {
      fs.mkdirSync(name);
      made.push(name);
    } catch (error) {
      // Another process may have made it in between.
      if ((error as NodeJS.ErrnoException).code === 'EEXIST' && fs.statSync(name).isDirectory()) continue;
      removeEmpty(made);
      throw error;
    }
  }
  return made;
}

/** Of folders, the outermost first. */
function removeEmpty(folders: readonly string[]): void {
  for (const name of [...folders].reverse()) {
    try {
      fs.rmdirSync(name);
    } catch {
      return; // another process writes there by now
    }
  }
}

/** @throws LayerifError `cannotWrite` */
export function makeFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

/**
 * Before hours of work: makes a file where the output will be and removes it again, with the folders that it took.
 * @throws LayerifError `cannotWrite`
 */
export function requireWritable(folder: string): void {
  const url = urlIn(folder);
  if (url !== null && !fs.existsSync(folder))
    throw new LayerifError('cannotWrite', `cannot write ${url}: it is a URL; give a folder of this machine`);
  let made: string[] = [];
  try {
    made = makeFolders(folder);
    fs.rmdirSync(fs.mkdtempSync(path.join(folder, '.layerif-')));
  } catch (error) {
    throw cannotWrite(folder, error);
  } finally {
    removeEmpty(made);
  }
}
