/**
 * How many times as many samples would settle the order of a task's layers, extrapolated from the replicates behind its
 * intervals: with f times the training and validation samples the scatter of a layer score about its expectation is
 * 1 / sqrt(f) of today's. Scores seen today differ by that scatter too, so their distances are drawn together by as
 * much as it will shrink. `test/simulation/enoughSamples.test.ts` says how far the figure may be off.
 */
import { UNSTABLE_SOLID } from '../../../../protocol/readability.ts';
import { nth } from '../../lists/nth.ts';
import { rankIntervals } from '../../statistics/intervals.ts';
import { mean, variance } from '../../statistics/moments.ts';

/** Doublings that are tried: an extrapolation further than that says nothing. */
const FACTORS = [2, 4, 8, 16];

export interface Scattered {
  /** Per layer. */
  scores: Float64Array;
  /** Replicates x layers, about the scores. */
  replicates: Float64Array[];
}

/**
 * The smallest factor with which at most a third of the layers have a rank interval that spans more than a third of
 * the layers; null where none of the factors would do.
 */
export function samplesFactor(scattered: Scattered, level: number): number | null {
  return FACTORS.find((factor) => openAt(scattered, factor, level) <= UNSTABLE_SOLID * scattered.scores.length) ?? null;
}

/** Layers that are open with a number of times as many samples. */
function openAt({ scores, replicates }: Scattered, factor: number, level: number): number {
  const count = scores.length;
  const center = mean(scores);
  const seen = variance([...scores]);
  const scatter = mean(replicates.map((draw) => mean(draw.map((value, row) => (value - nth(scores, row)) ** 2))));
  const between = Math.max(0, seen - scatter);
  const together = seen > 0 ? Math.sqrt((between + scatter / factor) / (between + scatter)) : 0;
  const moved = replicates.map((draw) =>
    draw.map((value, row) => {
      const score = nth(scores, row);
      return center + together * (score - center) + (value - score) / Math.sqrt(factor);
    }),
  );
  return rankIntervals(moved, level).filter(([low, high]) => Math.ceil(high) - Math.floor(low) > count / 3).length;
}
