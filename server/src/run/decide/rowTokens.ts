/** Tokens of a scored row with their perplexities, and which of them `token_mask` leaves out of the loss. */
import type { RowToken } from '../../../../protocol/rowRequests.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { nth } from '../../lists/nth.ts';
import { startsOf } from '../../scores/rowLosses.ts';
import { maskedTokens, tokenPerplexities } from '../../scores/tokenMask.ts';
import type { MaskOptions } from '../../scores/tokenMask.ts';
import { observedRows } from '../scores/observedRows.ts';
import type { ObservedOptions } from '../scores/observedRows.ts';
import { requireSameData, scoresOf, tableOf } from './scoredRows.ts';

/**
 * @param by label of the table
 * @returns as the model read them; none for a row without a text
 * @throws LayerifError `badRequest` for an unknown score or row, or a score that reads no tokens; `badData` where data,
 *   tokenizer or observations are other ones than those of the table
 */
export async function rowTokens(
  scoresFile: string,
  by: string,
  row: number,
  options: Omit<ObservedOptions, 'only'> = {},
): Promise<RowToken[]> {
  const { scores } = scoresOf(scoresFile);
  const table = tableOf(scores, by, scoresFile);
  const count = table.values.length;
  if (!Number.isInteger(row) || row < 0 || row >= count)
    throw new LayerifError('badRequest', `${by} has ${count} rows, there is no row ${row}`);
  await requireSameData(table, scores);
  const mask = table.score === 'token_mask' ? (table.options as unknown as MaskOptions) : null;
  for await (const { first, observed, tokenizer } of observedRows(scores, scoresFile, table, {
    ...options,
    only: row,
  })) {
    const [own] = Object.values(observed);
    if (!own) throw new LayerifError('badRequest', `${by} reads no single tokens: ask for those of token_mask or loss`);
    const text = nth(own.text, row - first);
    if (text < 0) return [];
    const { tokens, countedFrom } = nth(own.samples, text);
    const found = tokenPerplexities(own, observed.base ?? null, text, nth(startsOf(own.samples), text));
    const masked = mask && maskedTokens(found.own, found.base, row, mask);
    const texts = pieces(tokens, tokenizer);
    return Array.from(tokens, (id, t) => ({
      id,
      text: nth(texts, t),
      perplexity: t < countedFrom ? null : nth(found.own, t - countedFrom),
      masked: masked === null || t < countedFrom ? null : nth(masked, t - countedFrom) === 1,
    }));
  }
  throw new LayerifError('badData', `${by}: the rows ended before row ${row}`);
}

/** What each token adds to the one before it: decoded by itself a token may lose its space. */
function pieces(tokens: Int32Array, tokenizer: TextTokenizer): string[] {
  return Array.from(tokens, (id, t) => {
    const before = t === 0 ? '' : tokenizer.decode([nth(tokens, t - 1)]);
    const both = t === 0 ? tokenizer.decode([id]) : tokenizer.decode([nth(tokens, t - 1), id]);
    return both.startsWith(before) ? both.slice(before.length) : tokenizer.decode([id]);
  });
}
