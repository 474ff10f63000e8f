/** What the ways of rebuilding a tokenizer from GGUF metadata share. */
import type { Metadata } from './ggufMetadata.ts';

export type Json = Record<string, unknown>;

export interface Vocabulary {
  metadata: Metadata;
  tokens: readonly string[];
  /** The kind of each token, one of `kinds`. */
  kinds: ArrayLike<number>;
}

/** `tokenizer.ggml.token_type` */
export const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** What differs between the vocabularies. */
export interface TokenizerParts {
  normalizer: Json | null;
  preTokenizer: Json | null;
  decoder: Json;
  model: Json;
  /** Whether the beginning-of-sequence token is set before a text when the file does not say. */
  addsBos: boolean;
  /** Special tokens where the file names none. */
  defaults?: Partial<Record<'bos' | 'eos' | 'unknown' | 'padding', number>>;
  warnings?: string[];
}

/** Token -> number. */
export function vocabularyMap(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}
