/**
 * Differences between ways to train, and how far they may be from the truth. A difference is measured in units
 * (trainings with a draw or a seed of their own) and on held-out samples, which all units share:
 *
 *     d_uj = loss of this way in unit u on sample j - that of the other way
 *
 * Var(mean) = what other units would change + what other samples would change. The first is the variance of the
 * units' means; it holds whatever units and samples say together. The second is the variance of the samples' means
 * over their number, less what is in it of the first (the interaction, by the residuals of the two-way table), not
 * below 0.
 *
 * Against draws: one choice against several random ones. A random choice, too, differs from the mean of the
 * others, so that the choice's own variation, as large as that of a draw, counts once more: the question is
 * whether the choice could be one of the draws. t has the degrees of freedom of Welch & Satterthwaite. Such
 * intervals lean on draws that scatter like a normal distribution, which few draws cannot show; p does not: if the
 * choice were random, it would come before all R draws once in R + 1 times (Fisher's randomisation test).
 */
import { mean, variance } from '../statistics/moments.ts';
import { studentQuantile, studentTail } from '../statistics/student.ts';
import { nth } from '../lists/nth.ts';

export interface Difference {
  /** Mean of this way less the other one. */
  difference: number;
  /** Null where there is one unit: its scatter cannot be known. */
  interval: [number, number] | null;
  /** Of a paired difference two-sided, by t; against draws in the direction of the difference, by ranks. */
  p: number | null;
}

/** Of `ways` comparisons that are judged together each has this level (Bonferroni). */
const levelOf = (ways: number): number => 1 - 0.05 / Math.max(1, ways);

/**
 * One choice against random ones.
 * @param own loss of each held-out sample after training on the choice, in each seed averaged
 * @param draws the same of each random choice
 * @param ways comparisons that are judged together
 */
export function againstDraws(own: readonly number[], draws: readonly (readonly number[])[], ways: number): Difference {
  const differences = draws.map((draw) => draw.map((value, j) => nth(own, j) - value));
  const found = judged(differences, 1 + 1 / draws.length, ways);
  const sign = Math.sign(found.difference) || 1;
  // Of a choice that lies on this side of the draws: those that lie as far on it.
  const beyond = differences.filter((row) => sign * mean(row) <= 0).length;
  return { ...found, p: (1 + beyond) / (1 + draws.length) };
}

/** Two ways in the same units and on the same samples: unit x sample each. */
export function paired(
  own: readonly (readonly number[])[],
  other: readonly (readonly number[])[],
  ways: number,
): Difference {
  const differences = own.map((row, u) => row.map((value, j) => value - nth(nth(other, u), j)));
  return judged(differences, 1 / own.length, ways);
}

/** @param share of a unit's variance that the mean has */
function judged(d: readonly (readonly number[])[], share: number, ways: number): Difference {
  const units = d.length;
  const samples = nth(d, 0).length;
  const ofUnits = d.map(mean);
  const ofSamples = Array.from({ length: samples }, (_, j) => mean(d.map((row) => nth(row, j))));
  const difference = mean(ofUnits);
  if (units < 2) return { difference, interval: null, p: null };
  const residuals = d.flatMap((row, u) =>
    row.map((value, j) => value - nth(ofUnits, u) - nth(ofSamples, j) + difference),
  );
  const together = samples < 2 ? 0 : residuals.reduce((sum, r) => sum + r * r, 0) / ((units - 1) * (samples - 1));
  const byUnits = variance(ofUnits) * share;
  const bySamples = samples < 2 ? 0 : Math.max(0, (variance(ofSamples) - together * share) / samples);
  const all = byUnits + bySamples;
  if (all === 0) return { difference, interval: [difference, difference], p: difference === 0 ? 1 : 0 };
  const degrees = all ** 2 / (byUnits ** 2 / (units - 1) + (samples < 2 ? 0 : bySamples ** 2 / (samples - 1)));
  const error = Math.sqrt(all);
  const half = studentQuantile(levelOf(ways), degrees) * error;
  return {
    difference,
    interval: [difference - half, difference + half],
    p: Math.min(1, ways * studentTail(Math.abs(difference) / error, degrees)),
  };
}
