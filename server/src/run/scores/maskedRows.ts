/** Token masks of a table, made again from the observations that lie beside it. */
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import type { Row } from '../../data/types.ts';
import { entry } from '../../lists/entry.ts';
import { nth } from '../../lists/nth.ts';
import { startsOf } from '../../scores/rowLosses.ts';
import { maskedTokens, tokenPerplexities } from '../../scores/tokenMask.ts';
import type { MaskOptions } from '../../scores/tokenMask.ts';
import { observedRows } from './observedRows.ts';
import type { ObservedOptions } from './observedRows.ts';

export interface MaskedRow {
  row: Row;
  /** Token ids of prompt and answer, nothing cut. */
  tokens: Int32Array;
  /** 1 for tokens that are in the loss; those of the prompt, and what the model did not read, are not. */
  lossMask: Uint8Array;
}

/**
 * Rows in the order of the table.
 * @throws LayerifError `badData` where data, tokenizer or observations are other ones than those of the table
 */
export async function* maskedRows(
  scores: ScoresFile,
  scoresFile: string,
  table: ScoreTable,
  options: ObservedOptions = {},
): AsyncGenerator<MaskedRow, void, undefined> {
  const mask = table.options as unknown as MaskOptions;
  for await (const { first, rows, encoded, observed } of observedRows(scores, scoresFile, table, options)) {
    const own = entry(observed, 'own');
    const starts = startsOf(own.samples);
    for (const [i, { row }] of rows.entries()) {
      const { whole } = nth(encoded, i);
      const lossMask = new Uint8Array(whole.length);
      const text = nth(own.text, i);
      if (text >= 0) {
        const { tokens, countedFrom } = nth(own.samples, text);
        const found = tokenPerplexities(own, observed.base ?? null, text, nth(starts, text));
        const from = cutBefore(whole, tokens) + countedFrom;
        maskedTokens(found.own, found.base, first + i, mask).forEach((drop, t) => (lossMask[from + t] = drop ? 0 : 1));
      }
      yield { row, tokens: whole, lossMask };
    }
  }
}

/** A long text loses tokens of its prompt at the front. */
function cutBefore(whole: Int32Array, kept: Int32Array): number {
  return kept.every((token, t) => token === whole[t]) ? 0 : whole.length - kept.length;
}
