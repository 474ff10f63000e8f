/**
 * The one rule by which every job decides how it goes through the model: ways are tried from the fastest to the
 * smallest, what each takes is the sum of its parts, and the first whose sum stays below the limit is taken. Weights
 * are resident (all in memory) or streamed (read a piece at a time), which costs reading them again.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Json } from '../../../../protocol/scores.ts';
import { costOf } from '../../scores/observationCosts.ts';
import type { ObservationId, ObservedShape } from '../../scores/observations.ts';
import { bytesText } from '../../text/bytes.ts';
import { nth } from '../../lists/nth.ts';

/** Bytes by part of a job. */
export type Costs = Readonly<Record<string, number>>;

export type WeightMode = 'resident' | 'streamed';

export interface Fitted {
  weights: WeightMode;
  memoryBytes: number;
  fits: boolean;
}

export function totalOf(costs: Costs): number {
  return Object.values(costs).reduce((sum, bytes) => sum + bytes, 0);
}

/** Of observations that are made together: their numbers add up, and one reducer works at a time. */
export function observationCosts(
  observations: readonly { of: ObservationId; options: Record<string, Json> }[],
  shape: ObservedShape,
): Costs {
  const costs = observations.map(({ of, options }) => costOf(of, shape, options));
  return {
    observations: costs.reduce((sum, { numbers }) => sum + numbers, 0),
    reducing: Math.max(0, ...costs.map(({ work }) => work)),
  };
}

/**
 * The first way that fits, else the last one, which then exceeds a limit.
 * @param ways from the fastest to the smallest
 */
export function firstThatFits<Way, Plan>(
  ways: readonly Way[],
  plan: (way: Way) => Plan,
  fits: (plan: Plan) => boolean,
): Plan {
  let last = plan(nth(ways, 0));
  for (const way of ways.slice(1)) {
    if (fits(last)) break;
    last = plan(way);
  }
  return last;
}

/**
 * Whether weights stay in memory beside the other parts of a job.
 * @param weights bytes of each mode; without `streamed`, weights cannot be read a piece at a time
 */
export function fitWeights(
  parts: Costs,
  weights: { resident: number; streamed?: number | undefined },
  limit: number,
): Fitted {
  const ways = (['resident', 'streamed'] as const).filter((mode) => weights[mode] !== undefined);
  const plan = (mode: WeightMode): Fitted => {
    const memoryBytes = totalOf({ ...parts, weights: weights[mode]! });
    return { weights: mode, memoryBytes, fits: memoryBytes <= limit };
  };
  return firstThatFits(ways, plan, ({ fits }) => fits);
}

/** @throws LayerifError `notEnoughMemory`. @param advice how to need less */
export function requireFit(memoryBytes: number, limit: number, what: string, advice: string): void {
  if (memoryBytes <= limit) return;
  throw new LayerifError(
    'notEnoughMemory',
    `${what} needs about ${bytesText(memoryBytes)} of memory, the limit is ${bytesText(limit)}; ${advice}`,
  );
}
