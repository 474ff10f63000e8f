/** A sample as it crosses to the engine: tokens, and which of them are counted. */

/** One tokenised sample. */
export interface EncodedSample {
  tokens: Int32Array;
  /**
   * Index of the first token that is counted as a prediction target, at least 1. Counted: countedFrom ..
   * tokens.length-1.
   */
  countedFrom: number;
  /**
   * 1 for tokens that are counted, one number a token; of those before `countedFrom` none is. Absent: all from there on
   * are.
   */
  counted?: Uint8Array | undefined;
  /** Of a classifier: index of the class. */
  label?: number | undefined;
  /** What fills a graph's other inputs, by their names: one sample's numbers, without the batch axis. */
  arrays?: Record<string, { shape: number[]; data: Float32Array }> | undefined;
  /** Of an audio: frames of its spectrogram, and how many of them are sound and not padding. */
  frames?: { used: number; all: number } | undefined;
  /** Stretches that are looked at, `from` to before `to`; `place` is where their numbers go. */
  spans?: readonly Span[] | undefined;
}

/** In tokens; in frames of an audio's spectrogram. */
export interface Span {
  place: number;
  from: number;
  to: number;
}

/** The two sides of a task, as they are said. */
export const sideWords = { train: 'training', validation: 'validation' } as const;
