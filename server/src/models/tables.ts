/**
 * What blocks are fed with beside weights: numbers that follow from where tokens stand, and what they are made of
 * (positions.ts).
 */

/** Position-dependent inputs of the blocks, made by the engine for each padded length. */
export interface Table {
  shape: number[];
  data: Float32Array;
}

export interface Rotary {
  /** Angles per position of each pair, for sequences of `length` tokens. */
  frequencies(length: number): Float64Array;
  /** Factor of cos and sin. */
  scale: number;
  /** Longest sequence whose frequencies do not depend on its length. */
  fixedUpTo: number;
}

/** Biases of keys by their position (Press et al. 2022): one row per head, as [kvHeads, group, 1, length]. */
export type KeyBias = (length: number) => Table;

export interface Positions {
  /** Mask tables by name: how many last positions a position sees, itself included; null for all. */
  masks: Readonly<Record<string, number | null>>;
  /** Tables `<name>.cos` and `<name>.sin`. */
  rotary?: Readonly<Record<string, Rotary>> | undefined;
  /** Tables of biases by name. */
  biases?: Readonly<Record<string, KeyBias>> | undefined;
  /**
   * Length that a growing text may not exceed without being read anew from its first token (transformers' rule for
   * Phi-3).
   */
  readAnewBeyond?: number | undefined;
}
