/**
 * Context and continuation -> token ids, by the rule of lm-evaluation-harness: the white space at the end of the
 * context moves to the continuation, both are encoded as one text, and the continuation begins where the context's own
 * ids end. An empty context is the prefix token. A text that is too long loses tokens from the left.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { placeOf } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Row } from './types.ts';

export interface Continuation {
  tokens: Int32Array;
  /** Index of the first token of the continuation, at least 1. */
  countedFrom: number;
}

/**
 * @param maxLength most tokens that the model reads; one more is predicted
 * @throws LayerifError `badData` with file and row: a continuation without a token, or longer than the model reads
 */
export function encodeContinuation(
  tokenizer: TextTokenizer,
  context: string,
  continuation: string,
  maxLength: number,
  row: Row,
): Continuation {
  const { before, after } =
    context === '' ? alone(tokenizer, continuation, row) : pair(tokenizer, context, continuation);
  const fault = (what: string): LayerifError =>
    new LayerifError('badData', `row ${row.row}: the answer ${JSON.stringify(continuation.slice(0, 40))} ${what}`, {
      place: placeOf(row),
    });
  if (after.length === 0) throw fault('gives no token of its own; change the choices or the target_delimiter');
  if (after.length > maxLength) {
    throw fault(`has ${after.length} tokens, the model reads ${maxLength} at once; shorten it`);
  }
  const excess = Math.max(0, before.length + after.length - (maxLength + 1));
  const kept = before.subarray(excess);
  const tokens = new Int32Array(kept.length + after.length);
  tokens.set(kept);
  tokens.set(after, kept.length);
  return { tokens, countedFrom: kept.length };
}

function pair(tokenizer: TextTokenizer, context: string, continuation: string) {
  const kept = context.trimEnd();
  // A context of white space alone leaves nothing to condition on: the harness' encoder then begins with the whole
  // text's ids.
  const all = harnessIds(tokenizer, context + continuation);
  const length = harnessIds(tokenizer, kept).length;
  const at = Math.max(1, length);
  return { before: all.slice(0, at), after: all.slice(at) };
}

/** As the harness encodes: a text that begins with BOS (EOS where there is none) is given no special tokens. */
export function harnessIds(tokenizer: TextTokenizer, text: string): Int32Array {
  return isBegun(tokenizer, text) ? tokenizer.encodePlain(text) : tokenizer.encode(text);
}

function isBegun({ prefixText }: TextTokenizer, text: string): boolean {
  return prefixText !== null && text.startsWith(prefixText);
}

/** A tokenizer for texts of a chat template, which may bring BOS along: the harness' rule everywhere. */
export function byHarness(tokenizer: TextTokenizer): TextTokenizer {
  return {
    ...tokenizer,
    encode: (text) => harnessIds(tokenizer, text),
    encodeStart(text, limit) {
      if (!isBegun(tokenizer, text)) return tokenizer.encodeStart(text, limit);
      const tokens = tokenizer.encodePlain(text);
      return { tokens: tokens.slice(0, limit), truncated: tokens.length > limit };
    },
    promptLength: (text) =>
      isBegun(tokenizer, text) ? tokenizer.encodePlain(text).length : tokenizer.promptLength(text),
  };
}

function alone(tokenizer: TextTokenizer, continuation: string, row: Row) {
  const ids = tokenizer.encodePlain(continuation);
  if (ids.length > 0 && tokenizer.prefix === ids[0]) return { before: ids.slice(0, 1), after: ids.slice(1) };
  return { before: Int32Array.of(requirePrefix(tokenizer, row)), after: ids };
}

/** @throws LayerifError `badModel`-like for a tokenizer without BOS and EOS */
export function requirePrefix(tokenizer: TextTokenizer, row: Row): number {
  if (tokenizer.prefix !== null) return tokenizer.prefix;
  throw new LayerifError(
    'badModel',
    `row ${row.row}: the first token of a text is predicted from the tokenizer's bos_token or eos_token, and tokenizer_config.json names neither; add one`,
    { place: placeOf(row) },
  );
}
