/** How much a ranking changes along a series, such as layer scores over damping factors. */
import { kendall } from './kendall.ts';
import { spearman } from './rankCorrelation.ts';

export interface RankAgreement {
  spearman: number | null;
  kendall: number | null;
}

export function rankAgreement(a: ArrayLike<number>, b: ArrayLike<number>): RankAgreement {
  return { spearman: spearman(a, b), kendall: kendall(a, b) };
}

/**
 * @param series one list of scores per step; null where there is none
 * @param reference index of the step that the others are compared with
 * @returns per step its agreement with the reference and with the next step; null where one of both is missing
 */
export function rankStability(
  series: readonly (readonly number[] | null)[],
  reference: number,
): { toReference: RankAgreement | null; toNext: RankAgreement | null }[] {
  const between = (a: readonly number[] | null, b: readonly number[] | null | undefined) =>
    a && b ? rankAgreement(a, b) : null;
  return series.map((own, step) => ({
    toReference: between(own, series[reference]),
    toNext: between(own, series[step + 1]),
  }));
}
