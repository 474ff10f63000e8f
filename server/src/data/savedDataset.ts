/**
 * Folders that `save_to_disk` of `datasets` writes: a DatasetDict is a folder for each split beside
 * `dataset_dict.json`, a Dataset holds `state.json`, which names its Arrow files in order. Other Arrow files in such a
 * folder are caches of `map` and `filter`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LayerifError } from '../../../protocol/errors.ts';
import { readText } from '../files/textFile.ts';
import { readError } from './readers/reader.ts';

const dict = z.object({ splits: z.array(z.string()).min(1) });
const state = z.object({
  _data_files: z.array(z.object({ filename: z.string() })),
  // What datasets 1.0 wrote where rows had been chosen: the order of the rows stands in files of its own.
  _indices_data_files: z.array(z.unknown()).nullish(),
});

/**
 * Split -> paths of a saved DatasetDict; null where the folder is none.
 * @throws LayerifError `badData`: damaged or incomplete
 */
export function savedSplits(folder: string): Map<string, string[]> | null {
  const file = join(folder, 'dataset_dict.json');
  if (!existsSync(file)) return null;
  const { splits } = parsed(file, dict, '{"splits": ["train", ...]}');
  return new Map(
    splits.map((split) => {
      const files = savedFiles(join(folder, split));
      if (files === null)
        throw incomplete(file, `it names the split "${split}", and ${join(split, 'state.json')} is not beside it`);
      return [split, files];
    }),
  );
}

/**
 * Paths of a saved Dataset's files in order; null where the folder is none.
 * @throws LayerifError `badData`: damaged or incomplete
 */
export function savedFiles(folder: string): string[] | null {
  const file = join(folder, 'state.json');
  if (!existsSync(file)) return null;
  const { _data_files, _indices_data_files } = parsed(file, state, '{"_data_files": [{"filename": ...}, ...]}');
  if ((_indices_data_files ?? []).length > 0)
    throw incomplete(
      file,
      'its rows are chosen by a file of indices (datasets 1); load it and save it again by datasets 2 or later',
    );
  return _data_files.map(({ filename }) => {
    const path = join(folder, filename);
    if (!existsSync(path)) throw incomplete(file, `it names the file "${filename}", which is not beside it`);
    return path;
  });
}

function parsed<T>(file: string, shape: z.ZodType<T>, allowed: string): T {
  let value: unknown;
  try {
    value = JSON.parse(readText(file, 'config'));
  } catch (error) {
    const known = readError(error, file);
    if (known instanceof LayerifError) throw known;
    throw incomplete(file, 'it is not JSON: it is cut off or damaged', error);
  }
  const result = shape.safeParse(value);
  if (!result.success) throw incomplete(file, `it has not the form ${allowed}`, result.error);
  return result.data;
}

function incomplete(file: string, why: string, cause?: unknown): LayerifError {
  return new LayerifError('badData', `the folder of save_to_disk is not readable: ${why}; copy or save it again`, {
    place: { file },
    cause,
  });
}
