/** JSON files of a checkpoint's folder that hold one object. */
import { LayerifError } from '../../../protocol/errors.ts';
import { readText } from '../files/textFile.ts';

/**
 * @param kind how large such a file may be
 * @throws LayerifError `badModel` for what cannot be read or is no object
 */
export function readJsonObject(file: string, kind: Parameters<typeof readText>[1]): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readText(file, kind));
  } catch (error) {
    throw new LayerifError('badModel', `${file} cannot be read: ${(error as Error).message}`, {
      place: { file },
      cause: error,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new LayerifError('badModel', `${file} is not a JSON object`, { place: { file } });
}
