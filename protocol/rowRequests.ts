/** What requests about rows carry: their texts, and datasets of some of them. */
import type { SelectedRows, WrittenRows } from './rowSelection.ts';

/** As `layerif/sampleText`, for rows of a score of rows. */
export interface RowTextParams {
  /** Result beside which the scores lie, or the scores. */
  resultFile: string;
  /** Label of the table, as `labelOf` says it. */
  by: string;
  /** Places in the table. */
  rows: readonly number[];
}

/** A dataset of the rows that a score chooses, as `layerif select` writes it. */
export interface SelectRowsParams {
  /** Result beside which the scores lie, or the scores. */
  resultFile: string;
  /** Label of the table. */
  by: string;
  /** "100" or "10%"; absent: all rows but `without`, or all with token masks. */
  keep?: string;
  without?: readonly number[];
  lowest?: boolean;
  dedup?: boolean;
  /** Column whose values get as many rows each. */
  balance?: string;
  /** Absolute; absent: nothing is written, and the beginning of the file is shown. */
  output?: string;
}
export interface SelectRowsAnswer {
  /** Null with an error. */
  selected: SelectedRows | null;
  error: { code: string; message: string } | null;
}

/** The training rows of a task but some, as `layerif rows --without` writes them. */
export interface RowsWithoutParams {
  resultFile: string;
  task: string;
  /** Training samples that are left out. */
  samples: readonly number[];
  /** Absolute; absent: nothing is written, and the beginning of the file is shown. */
  output?: string;
}
export interface WrittenRowsAnswer {
  /** Null with an error. */
  written: WrittenRows | null;
  error: { code: string; message: string } | null;
}
