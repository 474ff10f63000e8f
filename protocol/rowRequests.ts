/** What requests about rows carry: their texts, and datasets of some of them. */
import type { SelectedRows, WrittenRows } from './rowSelection.ts';
import type { TokenInfluence } from './trust.ts';

/** As `layerif/sampleText`, for rows of a score of rows. */
export interface RowTextParams {
  /** Result beside which the scores lie, or the scores. */
  resultFile: string;
  /** Label of the table, as `labelOf` says it. */
  by: string;
  /** Places in the table. */
  rows: readonly number[];
}

/** Scores of rows that read single tokens; those first that say most of them. */
export const TOKEN_SCORES = ['token_mask', 'loss', 'ifd_ppl', 'ifd_loss'] as const;

/** The tokens of a row of a score that reads them. */
export interface RowTokensParams {
  /** Result beside which the scores lie, or the scores. */
  resultFile: string;
  /** Label of the table. */
  by: string;
  /** Place in the table. */
  row: number;
}

export interface RowToken {
  id: number;
  /** What it adds to the text before it; a replacement character where letters are split among tokens. */
  text: string;
  /** exp(-log P) behind the tokens before it; null where the score does not count it. */
  perplexity: number | null;
  /** Left out of the loss; null where it is not counted, or the score masks nothing. */
  masked: boolean | null;
}

export interface RowTokensAnswer {
  /** As the model read them; null with an error. */
  tokens: RowToken[] | null;
  error: { code: string; message: string } | null;
}

/** Influence of the tokens of a validation sample, where `layerif tokens` has computed it. */
export interface TokenInfluenceParams {
  resultFile: string;
  task: string;
  /** Validation sample, from 0. */
  validation: number;
}
export interface TokenInfluenceAnswer {
  /** Null where it was not computed, or with an error. */
  influence: TokenInfluence | null;
  error: { code: string; message: string } | null;
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

/** Newest first: what may speak of a data file. Absolute paths. */
export interface RunOfRows {
  result: string | null;
  scores: string | null;
}

/** A row that the last run found harmful, misaligned or masked. */
export interface RowMark {
  /** From 1. */
  line: number;
  /** Within the file, from 0. */
  row: number;
  kind: 'harmful' | 'misaligned' | 'masked';
  words: string;
}

export interface RowMarks {
  /** The result or the scores that they come from. */
  run: string;
  experimentFile: string;
  /** Hex SHA-256 of the file that they belong to; null where the file is another one now. */
  sha256: string | null;
  /** By line; a row may have several. */
  marks: RowMark[];
}

export interface RowMarksParams {
  /** Absolute path of a data file. */
  file: string;
  runs: readonly RunOfRows[];
}
export interface RowMarksAnswer {
  /** Null where no run read the file. */
  marks: RowMarks | null;
}

/** A data file as it stands but for the lines of some rows. */
export interface LinesWithoutParams {
  file: string;
  rows: readonly number[];
  /** Of the file when its rows were marked. */
  sha256: string;
  /** Absolute; absent: nothing is written, and `preview` is the whole text. */
  output?: string;
}
