/**
 * The `count` layers with the highest or the lowest scores: to tune, to freeze, to drop. Among equals the lower layer
 * counts as the higher score, so that "tune 10 of 30" and "freeze 20 of 30" name complementary layers.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { order } from './rounding.ts';

export interface Choice {
  /** 1 for a chosen layer. */
  chosen: number[];
  /** From 1, the highest score first. */
  rank: number[];
}

/** @throws LayerifError `badRequest` for a count outside 1 .. layers - 1 */
export function chooseLayers(scores: readonly number[], count: number, which: 'highest' | 'lowest'): Choice {
  if (!Number.isInteger(count) || count < 1 || count >= scores.length) {
    throw new LayerifError(
      'badRequest',
      `cannot choose ${count} of ${scores.length} layers: use a whole number from 1 to ${scores.length - 1}`,
    );
  }
  const byScore = order(scores);
  const rank = scores.map(() => 0);
  byScore.forEach((layer, position) => (rank[layer] = position + 1));
  const taken = which === 'highest' ? byScore.slice(0, count) : byScore.slice(-count);
  return { chosen: scores.map((_, i) => (taken.includes(i) ? 1 : 0)), rank };
}
