/** What a dataset becomes on its way to the engine: rows -> texts -> token ids. */

/** One row of a dataset file with the place where it stands. */
export interface Row {
  values: Record<string, unknown>;
  /** As they stand in the file, where a column's type has made other values of them: "007" of a 7. */
  given?: Record<string, unknown>;
  /** Absolute path. */
  file: string;
  /** From 0, within the file. */
  row: number;
  /** From 1; null where the format has no lines. */
  line: number | null;
}

/** A rendered example: prompt and answer, before tokenizing. */
export interface Example {
  row: Row;
  /** Few-shot examples + doc_to_text + delimiter, '' for rolling. */
  prompt: string;
  /** The gold answer; the whole text for rolling. */
  answer: string;
  /** Rendered by a chat template, which may write the special tokens itself that the tokenizer would put in front. */
  rendered?: boolean;
}

/** A tokenised example. */
export interface Sample {
  file: string;
  row: number;
  line: number | null;
  /** prompt + answer, as encoded. */
  text: string;
  tokens: Int32Array;
  /** Index of the first counted token, at least 1. */
  countedFrom: number;
  truncated: boolean;
  /** For a classifier: index of the class. */
  classIndex?: number;
  /** What fills a graph's other inputs. */
  arrays?: Record<string, { shape: number[]; data: Float32Array }>;
}
