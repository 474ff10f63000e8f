/**
 * Permutation test of an association between paired lists (Fisher 1935): if b's order had nothing to do with a's, every
 * order of b would be as likely. The p-value is the share of the orders whose statistic is at least as extreme as the
 * one seen.
 *
 * All orders are gone through where there are no more than the permutations asked for; else random ones are drawn, and
 * p = (1 + at least as extreme) / (1 + drawn), which is never zero (Phipson & Smyth 2010).
 */
import type { Random } from '../random/random.ts';

export interface PermutationOptions {
  random: Random;
  /** Default 9999. */
  permutations?: number;
  /** `two-sided` compares absolute values; default. */
  alternative?: 'two-sided' | 'greater';
}

export interface PermutationTest {
  statistic: number;
  p: number;
  /** Orders that were compared. */
  permutations: number;
  /** Whether these are all there are. */
  exact: boolean;
}

/**
 * Statistics that differ by less than this are equal: rounding must not make an order look less extreme than itself.
 */
const TOLERANCE = 1e-12;

/** @returns null where the statistic is not defined */
export function permutationTest(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  statistic: (a: ArrayLike<number>, b: ArrayLike<number>) => number | null,
  { random, permutations = 9999, alternative = 'two-sided' }: PermutationOptions,
): PermutationTest | null {
  const seen = statistic(a, b);
  if (seen === null) return null;
  const size = (value: number) => (alternative === 'greater' ? value : Math.abs(value));
  const extreme = (order: readonly number[]) => {
    const value = statistic(
      a,
      Float64Array.from(order, (i) => b[i]),
    );
    return value !== null && size(value) >= size(seen) - TOLERANCE;
  };
  const all = factorialUpTo(b.length, permutations);
  let count = 0;
  if (all !== null) {
    for (const order of orders(b.length)) if (extreme(order)) count++;
    return { statistic: seen, p: count / all, permutations: all, exact: true };
  }
  for (let i = 0; i < permutations; i++) if (extreme(random.permutation(b.length))) count++;
  return { statistic: seen, p: (1 + count) / (1 + permutations), permutations, exact: false };
}

/** n!, or null where that is more than `most`. */
function factorialUpTo(n: number, most: number): number | null {
  let product = 1;
  for (let i = 2; i <= n; i++) {
    product *= i;
    if (product > most) return null;
  }
  return product;
}

/** Every order of 0 .. n - 1 (Heap 1963). The yielded list is reused. */
function* orders(n: number): Generator<number[]> {
  const order = Array.from({ length: n }, (_, i) => i);
  const counters = new Array<number>(n).fill(0);
  yield order;
  for (let i = 1; i < n;) {
    if (counters[i] < i) {
      const j = i % 2 === 0 ? 0 : counters[i];
      [order[i], order[j]] = [order[j], order[i]];
      yield order;
      counters[i]++;
      i = 1;
    } else counters[i++] = 0;
  }
}
