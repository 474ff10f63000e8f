import type { Range } from './slices.ts';
import type { Row } from './types.ts';

export interface OpenDataset {
  /** The key in `datasets`. */
  name: string;
  /** Split names, in the order in which they were found. */
  splits: string[];
  /** With the new names of `field_mapping`. */
  columns: string[];
  /** Absolute paths, without repeats. */
  files: string[];
  warnings: string[];
  /** Rows of a split. @throws LayerifError for an unknown split. */
  count(split: string): Promise<number>;
  /** Rows of a split in a range, as far as they go. */
  rows(split: string, range: Range): AsyncGenerator<Row, void, undefined>;
}
