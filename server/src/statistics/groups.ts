/**
 * Differences between the means of groups: one-way analysis of variance (Fisher 1925), Levene's test of equal
 * variances around medians (Brown & Forsythe 1974), and Tukey's honest significant differences for groups of unequal
 * size (Kramer 1956).
 *
 *     SSB = Σ n_j (ȳ_j - ȳ)²,  SSW = Σ Σ (y_ij - ȳ_j)²,  F = (SSB / (k - 1)) / (SSW / (n - k)),  η² = SSB / (SSB + SSW)
 *     q = |ȳ_a - ȳ_b| / sqrt(MSW / 2 · (1 / n_a + 1 / n_b))
 */
import { mean } from './moments.ts';
import { fTail } from './beta.ts';
import { quantile } from './intervals.ts';
import { studentizedRangeQuantile, studentizedRangeTail } from './studentizedRange.ts';

export interface Anova {
  f: number;
  between: number;
  within: number;
  p: number;
  /** η², share of the sum of squares that lies between groups. */
  etaSquared: number;
  /** MSW, mean square within groups. */
  meanSquareWithin: number;
}

/** @returns null where it is not defined: one group, no group of two, or no variance within groups */
export function oneWayAnova(groups: readonly ArrayLike<number>[]): Anova | null {
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const [between, within] = [groups.length - 1, count - groups.length];
  if (between < 1 || within < 1) return null;
  const means = groups.map(mean);
  const all = groups.reduce((sum, group, j) => sum + group.length * means[j], 0) / count;
  let [squaresBetween, squaresWithin, size] = [0, 0, 0];
  groups.forEach((group, j) => {
    squaresBetween += group.length * (means[j] - all) ** 2;
    for (let i = 0; i < group.length; i++) {
      squaresWithin += (group[i] - means[j]) ** 2;
      size = Math.max(size, Math.abs(group[i]));
    }
  });
  // What rounding leaves of equal values is no variance.
  if (squaresWithin <= count * (1e-14 * size) ** 2) return null;
  const meanSquareWithin = squaresWithin / within;
  const f = squaresBetween / between / meanSquareWithin;
  return {
    f,
    between,
    within,
    p: fTail(f, between, within),
    etaSquared: squaresBetween / (squaresBetween + squaresWithin),
    meanSquareWithin,
  };
}

/** The analysis of variance of distances from the group's median: a small p says that variances differ. */
export function levene(groups: readonly ArrayLike<number>[]): { statistic: number; p: number } | null {
  const distances = groups.map((group) => {
    const middle = quantile(Float64Array.from(group).sort(), 0.5);
    return Float64Array.from(group, (value) => Math.abs(value - middle));
  });
  const found = oneWayAnova(distances);
  return found && { statistic: found.f, p: found.p };
}

export interface TukeyPair {
  /** Indices of groups; the difference is b's mean less a's. */
  a: number;
  b: number;
  difference: number;
  /** Hold for all pairs at once. */
  low: number;
  high: number;
  q: number;
  p: number;
}

/** Every pair, a before b. @param level of the intervals of all pairs together, such as 0.95 */
export function tukeyKramer(
  groups: readonly ArrayLike<number>[],
  { meanSquareWithin, within }: Anova,
  level: number,
): TukeyPair[] {
  const means = groups.map(mean);
  const critical = studentizedRangeQuantile(level, groups.length, within);
  return groups.flatMap((_, a) =>
    groups.slice(a + 1).map((_, after): TukeyPair => {
      const b = a + 1 + after;
      const error = Math.sqrt((meanSquareWithin / 2) * (1 / groups[a].length + 1 / groups[b].length));
      const difference = means[b] - means[a];
      const q = Math.abs(difference) / error;
      const p = studentizedRangeTail(q, groups.length, within);
      return { a, b, difference, low: difference - critical * error, high: difference + critical * error, q, p };
    }),
  );
}
