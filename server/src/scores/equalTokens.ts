/**
 * How many tokens of each answer are looked at, so that answers of two kinds can be compared: the variance of a mean
 * over tokens falls with their number. Answers to one question of which there are both kinds get the least number among
 * them. The others are matched by rank: the answer at a share u of its kind, ordered by length, gets what the shorter
 * kind has at u, which is never more than it has itself.
 */
import type { Labels } from './types.ts';
import { nth } from '../lists/nth.ts';

/** @param counts tokens of each answer @returns as many numbers, none above its count */
export function equalTokens(counts: readonly number[], { of, groups }: Pick<Labels, 'of' | 'groups'>): number[] {
  const equal = [...counts];
  const rest: number[][] = [[], []];
  for (const question of questionsOf(of, groups)) {
    const both = new Set(question.map((i) => of[i])).size > 1;
    const least = Math.min(...question.map((i) => nth(counts, i)));
    for (const i of question) {
      if (both) equal[i] = least;
      else nth(rest, nth(of, i)).push(i);
    }
  }
  const ordered = rest.map((kind) => kind.sort((a, b) => nth(counts, a) - nth(counts, b) || a - b));
  ordered.forEach((kind, k) => {
    const other = nth(ordered, 1 - k);
    kind.forEach((i, rank) => {
      if (other.length === 0) return;
      const at = Math.min(other.length - 1, Math.floor(((rank + 0.5) / kind.length) * other.length));
      equal[i] = Math.min(nth(counts, i), nth(counts, nth(other, at)));
    });
  });
  return equal;
}

/** Indices of the texts of each question; without questions every text is one of its own. */
export function questionsOf(of: ArrayLike<number>, groups: ArrayLike<number> | undefined): number[][] {
  const byGroup = new Map<number, number[]>();
  for (let i = 0; i < of.length; i++) {
    const group = groups ? nth(groups, i) : i;
    byGroup.set(group, [...(byGroup.get(group) ?? []), i]);
  }
  return [...byGroup.values()];
}
