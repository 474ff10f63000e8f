/** Statistics of a list without each of its items in turn, from one pass over the whole list. */
import { pearson, ranks } from './rankCorrelation.ts';

/** Pearson's correlation of two lists without each pair; null where it is not defined. */
export function pearsonWithoutEach(a: ArrayLike<number>, b: ArrayLike<number>): (number | null)[] {
  return Array.from(a, (_, k) => pearson(without(a, k), without(b, k)));
}

/** Spearman's. A rank falls by one where a smaller item leaves, by a half where an equal one does. */
export function spearmanWithoutEach(a: ArrayLike<number>, b: ArrayLike<number>): (number | null)[] {
  const [ranksA, ranksB] = [ranks(a), ranks(b)];
  const [keptA, keptB] = [new Float64Array(a.length - 1), new Float64Array(a.length - 1)];
  return Array.from(a, (_, k) => {
    for (let i = 0, at = 0; i < a.length; i++) {
      if (i === k) continue;
      keptA[at] = ranksA[i] - step(a[i], a[k]);
      keptB[at++] = ranksB[i] - step(b[i], b[k]);
    }
    return pearson(keptA, keptB);
  });
}

/** Area under the ROC curve without each positive item, and without each negative one, in their order. */
export function aucWithoutEach(
  values: ArrayLike<number>,
  positive: readonly boolean[],
): { positive: (number | null)[]; negative: (number | null)[] } {
  const above = { positive: [] as number[], negative: [] as number[] };
  const places = (kind: boolean) => positive.flatMap((p, i) => (p === kind ? [i] : []));
  const [ones, others] = [places(true), places(false)];
  for (const i of ones) above.positive.push(others.reduce((sum, j) => sum + step(values[i], values[j]), 0));
  for (const j of others) above.negative.push(ones.reduce((sum, i) => sum + step(values[i], values[j]), 0));
  const whole = above.positive.reduce((sum, count) => sum + count, 0);
  const rest = (counts: number[], pairs: number) => counts.map((count) => (pairs > 0 ? (whole - count) / pairs : null));
  return {
    positive: rest(above.positive, (ones.length - 1) * others.length),
    negative: rest(above.negative, ones.length * (others.length - 1)),
  };
}

function step(value: number, other: number): number {
  return value > other ? 1 : value === other ? 0.5 : 0;
}

function without(values: ArrayLike<number>, k: number): Float64Array {
  const kept = new Float64Array(values.length - 1);
  for (let i = 0; i < kept.length; i++) kept[i] = values[i < k ? i : i + 1];
  return kept;
}
