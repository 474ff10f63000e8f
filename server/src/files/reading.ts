/** What is said when something that a user names cannot be read: one sentence with the path. */
import { LayerifError } from '../../../protocol/errors.ts';
import { ourWords } from '../text/languageErrors.ts';
import { lookup } from '../text/lookup.ts';
import { urlAdvice, urlIn } from '../text/url.ts';
import { UnreadableFile } from './textFile.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is a file',
  EISDIR: 'it is a folder, a file is needed',
  EACCES: 'permission to read it is missing',
  EPERM: 'permission to read it is missing',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'the path is too long',
  EIO: 'the disk reports a read error',
};

/** Why a file that a user named could not be read; null for an error that says nothing of it. */
export function unreadableReason(error: unknown): string | null {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOENT' && urlIn(path ?? '') !== null) return urlAdvice();
  if (error instanceof UnreadableFile && code !== 'EISDIR') return error.message;
  return lookup(reasons, code) ?? null;
}

/** The same, for an error that is about the file in any case. */
export function unreadableWords(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return unreadableReason(error) ?? `the system says ${code ?? 'that it cannot be read'}`;
}

/** Why a file could not be opened, or what is wrong in it by the reader of its format. */
export function faultWords(error: unknown): string {
  const isOfSystem = (error as NodeJS.ErrnoException).code !== undefined;
  return isOfSystem || !(error instanceof Error) ? unreadableWords(error) : ourWords(error);
}

/** Errors that may reach a user, the file system's about a path among them; null for a defect. */
export function knownFault(error: unknown): LayerifError | null {
  if (error instanceof LayerifError) return error;
  const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || path === undefined || syscall === undefined) return null;
  if (lookup(reasons, code) === undefined) return null;
  return new LayerifError('failed', `cannot read ${path}: ${unreadableWords(error)}`, { cause: error });
}
