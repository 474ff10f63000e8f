/**
 * Scores that compare the vectors of a layer with a view of them: labels, position, how frequent the token is, another
 * layer, another model. `run` finds out which vectors there are and what the view says of each.
 */
/** Which vectors of the texts, and what is asked of each. */
export interface ViewAsk {
  view: 'label' | 'position' | 'token_frequency' | 'states';
  /** Vectors of tokens, or of labelled stretches: at most so many, drawn with `seed`. */
  vectors: number;
  seed: number;
  skipFirstToken: boolean;
  pool: 'last' | 'mean';
}

/** What is known of each vector beside its states. */
export interface View {
  /** Index of the text that each vector belongs to: texts are kept together and drawn together. */
  text: Int32Array;
  /** "noun 300, verb 200 vectors", for people. */
  words: string;
  /** A class for each vector, an index into `names`. */
  classes?: { of: Int32Array; names: readonly string[] };
  /** A number for each vector. */
  numbers?: Float64Array;
}
