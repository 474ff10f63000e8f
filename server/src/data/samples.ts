/**
 * Prompt and answer -> token ids and the first counted token.
 *
 * The text is encoded as one string. `loss: all` counts every token but the first and keeps the first `maxLength`
 * tokens of a longer text. `loss: target` counts the answer's tokens: trailing white space of the prompt moves to the
 * answer, the boundary is the prompt's token count (the harness' rule), and a long text loses prompt tokens from the
 * left. An answer that does not fit by itself keeps its first tokens, after one token of the prompt.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { LossId } from '../../../protocol/experiment.ts';
import { byHarness } from './continuations.ts';
import { placeOf } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Example, Sample } from './types.ts';

export interface SampleOptions {
  /** Most tokens of a sample. */
  maxLength: number;
  loss: LossId;
}

/** @throws LayerifError `badData` with file and row when no token is counted. */
export function sampleOf(example: Example, tokenizer: TextTokenizer, { maxLength, loss }: SampleOptions): Sample {
  const { row, prompt, answer, rendered } = example;
  const text = prompt + answer;
  const by = rendered ? byHarness(tokenizer) : tokenizer;
  const { tokens, truncated, countedFrom } = placed(example, () =>
    loss === 'all' || prompt === ''
      ? { ...by.encodeStart(text, maxLength), countedFrom: 1 }
      : targetTokens(prompt, text, by, maxLength),
  );
  if (tokens.length <= countedFrom) throw nothingCounted(example, tokens.length, loss, maxLength);
  return { file: row.file, row: row.row, line: row.line, text, tokens, countedFrom, truncated };
}

function targetTokens(
  prompt: string,
  text: string,
  tokenizer: TextTokenizer,
  maxLength: number,
): Pick<Sample, 'tokens' | 'truncated' | 'countedFrom'> {
  const all = tokenizer.encode(text);
  const boundary = Math.max(1, tokenizer.promptLength(prompt.trimEnd()));
  const excess = Math.max(0, all.length - maxLength);
  const cut = Math.min(excess, boundary - 1);
  return { tokens: all.slice(cut, cut + maxLength), truncated: excess > 0, countedFrom: boundary - cut };
}

function nothingCounted(example: Example, length: number, loss: LossId, maxLength: number): LayerifError {
  const { row, answer } = example;
  const why =
    loss === 'target' && length >= 2
      ? `the answer ${JSON.stringify(answer.slice(0, 40))} gives no token of its own`
      : `the text has ${length} token${length === 1 ? '' : 's'}, and the first is never predicted${maxLength < 2 ? ` (max_length is ${maxLength})` : ''}`;
  return new LayerifError(
    'badData',
    `row ${row.row} has no token to count a loss on: ${why}; remove the row or change the template`,
    { place: placeOf(row) },
  );
}

/** The tokenizer does not know whose text it refuses. */
function placed<T>({ row }: Example, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    throw new LayerifError(error.code, `row ${row.row}: ${error.message}`, { place: placeOf(row), cause: error });
  }
}
