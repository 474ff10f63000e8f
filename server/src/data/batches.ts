/**
 * Length-bucketed batches for right padding. Samples are taken from long to short (the batch that needs most memory
 * runs first) and share a batch only when the shortest has at least `SHORTEST` of the longest one's tokens, so padding
 * is always less than a quarter of what is computed.
 */
import { nth } from '../lists/nth.ts';

/** Shortest / longest sample of a batch, at least. */
export const SHORTEST = 0.75;

/**
 * Indices into `lengths`, batch by batch; every index stands in exactly one batch.
 * `batch size x longest length <= tokensPerBatch`, but for a single sample that is longer than that. Deterministic.
 */
export function batches(lengths: readonly number[], tokensPerBatch: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => nth(lengths, b) - nth(lengths, a) || a - b);
  const result: number[][] = [];
  for (const index of order) {
    const batch = result.at(-1);
    const longest = batch === undefined ? 0 : nth(lengths, nth(batch, 0));
    if (
      batch !== undefined &&
      nth(lengths, index) >= SHORTEST * longest &&
      (batch.length + 1) * longest <= tokensPerBatch
    )
      batch.push(index);
    else result.push([index]);
  }
  return result;
}
