/**
 * The score interval of a proportion (Wilson, Probable inference, the law of succession, and statistical inference,
 * JASA 1927): all p from which the observed share is no further away than the normal quantile allows. It does not
 * collapse at 0 and 1, and holds for few trials.
 */
import type { Interval } from './intervals.ts';
import { normalCdf, normalDensity } from './normal.ts';

/**
 * @param hits 0 .. trials
 * @param level such as 0.95
 * @returns null without trials
 */
export function wilsonInterval(hits: number, trials: number, level = 0.95): Interval | null {
  if (!(hits >= 0 && hits <= trials && level > 0 && level < 1))
    throw new Error(`an interval of ${hits} hits in ${trials} trials at level ${level}`);
  if (trials === 0) return null;
  const z2 = normalQuantile((1 + level) / 2) ** 2;
  const share = hits / trials;
  const middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = Math.sqrt(z2 * ((share * (1 - share)) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials);
  // Exact at the ends, where rounding would leave 1e-17.
  return [hits === 0 ? 0 : middle - half, hits === trials ? 1 : middle + half];
}

/** The z with P(Z <= z) = p. @param p 0.5 .. 1, without 1 */
export function normalQuantile(p: number): number {
  // Newton's steps from 0 come from below, since Φ is concave there; they end when rounding stops them.
  let z = 0;
  for (let step = 0; step < 100; step++) {
    const next = z + (p - normalCdf(z)) / normalDensity(z);
    if (!(next > z)) break;
    z = next;
  }
  return z;
}
