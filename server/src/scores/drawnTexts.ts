/**
 * Values of a score on texts that are drawn with repeats: the intervals of its table, and what the agreement of scores
 * resamples.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import type { Random } from '../random/random.ts';
import { resample } from '../statistics/bootstrap.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { row } from './types.ts';
import type { OfTexts } from './types.ts';
import { nth } from '../lists/nth.ts';
import { sumAt } from '../linear/vectors.ts';

const LEVEL = 0.9;
const REPLICATES = 200;

export const allTexts = (count: number): number[] => Array.from({ length: count }, (_, text) => text);

/** `intervals` and `level` of a table; nothing where one text alone tells no scatter. */
export function textIntervals(
  ofTexts: OfTexts,
  texts: number,
  random: Random,
): { intervals?: ([number, number] | null)[]; level?: number } {
  if (texts < 2) return {};
  const replicates = Array.from({ length: REPLICATES }, () => ofTexts(resample(texts, random)));
  const intervals = nth(replicates, 0).map((_, i) =>
    percentileInterval(
      replicates.map((values) => nth(values, i)),
      LEVEL,
    ),
  );
  return { intervals, level: LEVEL };
}

/**
 * Sum over texts divided by the sum of their counts, for each row of two tensors [rows, texts]; null where nothing is
 * counted.
 */
export function ratioOfSums(sums: Tensors[string], counts: Tensors[string]): OfTexts {
  return (texts) =>
    Array.from({ length: nth(sums.shape, 0) }, (_, at) => {
      const [own, counted] = [row(sums, at), row(counts, at)];
      const count = sumAt(counted, texts);
      return count === 0 ? null : sumAt(own, texts) / count;
    });
}
