/** Files of ours that a user names: what is wrong with one is said in one sentence, with the file and what to do. */
import { LayerifError } from '../../../../protocol/errors.ts';
import { readText, UnreadableFile } from '../../files/textFile.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  ENOTDIR: 'a part of the path is a file',
  EISDIR: 'it is a folder, a file is needed',
  EACCES: 'permission to read it is missing',
  EPERM: 'permission to read it is missing',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'the path is too long',
};

/**
 * @param what such as `result`
 * @param advice what to do instead
 * @throws LayerifError `badRequest`
 */
export function readJsonFile(what: string, file: string, advice: string): Record<string, unknown> {
  const fail = (why: string, cause?: unknown): LayerifError =>
    new LayerifError('badRequest', `cannot read the ${what} ${file}: ${why}; ${advice}`, { cause });
  let text: string;
  try {
    text = readText(file, 'result');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof UnreadableFile && code !== 'EISDIR') throw fail(error.message, error);
    throw fail(reasons[code ?? ''] ?? `the system says ${code ?? 'that it cannot be read'}`, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fail(text.trim() === '' ? 'it is empty' : 'it is not JSON, perhaps cut off', error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fail('it is no JSON object');
}
