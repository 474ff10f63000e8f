/**
 * A dataset of .npy files: each is a column, its first axis runs over the rows. All rows are split `train`, in file
 * order; a column with one axis gives numbers, any other gives arrays.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Dataset } from '../../../protocol/experiment.ts';
import { listed } from '../text/listed.ts';
import type { OpenDataset } from './dataset.ts';
import { npyHeader, parseNpy } from './npy.ts';
import type { Row } from './types.ts';
import { requireRegularFile } from '../files/textFile.ts';
import { nth } from '../lists/nth.ts';
import { faultWords } from '../files/reading.ts';

/** @throws LayerifError `badData`: a file that is missing or no array, columns that differ in their number of rows */
export function openArrays(
  name: string,
  arrays: NonNullable<Dataset['arrays']>,
  mapping: Record<string, string>,
  baseDir: string,
): OpenDataset {
  const columns = Object.entries(arrays).map(([column, given]) => ({ column, ...opened(name, given, baseDir) }));
  const rows = nth(nth(columns, 0).shape, 0);
  const other = columns.find(({ shape }) => shape[0] !== rows);
  if (other) {
    throw fault(
      name,
      `the array "${other.column}" has ${other.shape[0]} rows, "${nth(columns, 0).column}" has ${rows}; the first axis of every array runs over the same rows`,
    );
  }
  const added = Object.entries(mapping);
  const missing = added.find(([, column]) => !Object.hasOwn(arrays, column));
  if (missing) {
    throw fault(
      name,
      `field_mapping takes "${missing[0]}" from the column "${missing[1]}", which is not there; columns: ${listed(Object.keys(arrays))}`,
    );
  }
  const rowAt = (row: number): Row => {
    const values: Record<string, unknown> = Object.fromEntries(
      columns.map(({ column, bytes }) => {
        const { shape, data } = parseNpy(bytes, row);
        return [column, shape.length === 0 ? data[0] : { shape, data }];
      }),
    );
    for (const [to, from] of added) values[to] = values[from];
    return { values, file: nth(columns, 0).file, row, line: null };
  };
  const known = (split: string): void => {
    if (split !== 'train') throw fault(name, `has no split "${split}"; arrays are all split train`);
  };
  return {
    name,
    splits: ['train'],
    columns: [...Object.keys(arrays), ...added.map(([to]) => to)],
    files: [...new Set(columns.map(({ file }) => file))],
    warnings: [],
    count(split) {
      known(split);
      return Promise.resolve(rows);
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- an array is in memory, other datasets are read as they go
    async *rows(split, { start, end }) {
      known(split);
      for (let row = start; row < Math.min(end, rows); row++) yield rowAt(row);
    },
  };
}

function opened(name: string, given: string, baseDir: string): { file: string; bytes: Uint8Array; shape: number[] } {
  const file = path.resolve(baseDir, given);
  try {
    requireRegularFile(file);
    const bytes = fs.readFileSync(file);
    const { shape } = npyHeader(bytes);
    if (shape.length === 0) throw new Error('the array is a single number; its first axis must run over the rows');
    parseNpy(bytes, 0, 0); // long enough for what it says
    return { file, bytes, shape };
  } catch (error) {
    throw new LayerifError('badData', `dataset "${name}": ${given}: ${faultWords(error)}`, {
      place: { file },
      cause: error,
    });
  }
}

function fault(name: string, text: string): LayerifError {
  return new LayerifError('badData', `dataset "${name}": ${text}`);
}
