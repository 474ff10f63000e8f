/**
 * Sparsities with an exact weighted mean inside 0 .. cap. What a bound cuts off is given to the items that are not at a
 * bound, by the same rule that made them: a common factor, or a common offset.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { sum } from './rounding.ts';
import { nth } from '../lists/nth.ts';

/** No matrix is emptied. */
export const CAP = 0.99;

export interface Bounded {
  sparsity: number[];
  /** Indices that lie at the cap or at 0. */
  atBound: number[];
}

/** @throws LayerifError `badRequest` for a ratio that no map can reach */
export function requireRatio(ratio: number): void {
  if (ratio >= 0 && ratio <= CAP) return;
  throw new LayerifError(
    'badRequest',
    `a ratio of ${ratio} cannot be reached: every layer keeps at least ${Math.round(100 * (1 - CAP))} % of its weights; use a ratio from 0 to ${CAP}`,
  );
}

/**
 * p = min(cap, eta * relative) with eta such that sum(d p) = ratio * sum(d).
 *
 * @param relative not negative, not all zero
 * @param weights d: prunable weights of every item
 * @param redistribute false: eta as if there were no cap (LayerIF's code), so that the mean may fall short
 */
export function scaled(
  relative: readonly number[],
  weights: readonly number[],
  ratio: number,
  redistribute: boolean,
): Bounded {
  const capped = new Set<number>();
  const all = relative.map((_, i) => i);
  for (;;) {
    const free = all.filter((i) => !capped.has(i));
    const rest = ratio * sum([...weights]) - CAP * sum([...capped].map((i) => nth(weights, i)));
    const eta = rest / sum(free.map((i) => nth(weights, i) * nth(relative, i)));
    const over = free.filter((i) => eta * nth(relative, i) > CAP);
    // Where only zeros are left to take the rest, they share it evenly.
    const shared = Number.isFinite(eta) ? null : Math.max(0, rest / sum(free.map((i) => nth(weights, i))));
    if (over.length === 0 || !redistribute || shared !== null) {
      const sparsity = all.map((i) => (capped.has(i) ? CAP : (shared ?? Math.min(CAP, eta * nth(relative, i)))));
      return { sparsity, atBound: all.filter((i) => nth(sparsity, i) >= CAP) };
    }
    for (const i of over) capped.add(i);
  }
}

/**
 * p = clamp(target + delta) with delta such that sum(d p) = ratio * sum(d).
 *
 * @param redistribute false: delta = 0, so that the mean may be off
 */
export function shifted(
  target: readonly number[],
  weights: readonly number[],
  ratio: number,
  redistribute: boolean,
): Bounded {
  const at = (delta: number) => target.map((value) => Math.min(CAP, Math.max(0, value + delta)));
  const mass = (values: readonly number[]) => sum(values.map((value, i) => nth(weights, i) * value));
  const wanted = ratio * sum([...weights]);
  let delta = 0;
  if (redistribute) {
    let [low, high] = [-Math.max(...target), CAP - Math.min(...target)];
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (mass(at(middle)) < wanted) low = middle;
      else high = middle;
    }
    // The bisection finds who is free; these take the exact rest.
    const free = target.map((value) => value + high > 0 && value + high < CAP);
    const freeWeight = sum(weights.filter((_, i) => free[i]));
    const gap = wanted - mass(at(high));
    delta = high + (freeWeight > 0 ? gap / freeWeight : 0);
  }
  const sparsity = at(delta);
  return { sparsity, atBound: sparsity.flatMap((p, i) => (p <= 0 || p >= CAP ? [i] : [])) };
}

/** Share of the weights that a map removes. */
export function achieved(sparsity: readonly number[], weights: readonly number[]): number {
  return sum(sparsity.map((p, i) => p * nth(weights, i))) / sum([...weights]);
}
