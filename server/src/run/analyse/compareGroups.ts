/** Groups of rows beside each other: box plots, analysis of variance, Tukey-Kramer, the cluster bootstrap. */
import type { ComparedGroup, GroupComparison } from '../../../../protocol/analysis.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { Random } from '../../random/random.ts';
import { clusterBootstrap } from '../../statistics/clusterBootstrap.ts';
import { levene, oneWayAnova, tukeyKramer } from '../../statistics/groups.ts';
import { quantile } from '../../statistics/intervals.ts';
import type { Covariate, Levels } from '../../statistics/smoothModel.ts';

const LEVEL = 0.95;
/** Below this a test says that something differs. */
const SIGNIFICANT = 0.05;

/** @param dependent rows that belong together; null takes all rows for independent @throws LayerifError `badData` */
export function compareGroups(
  response: Covariate,
  factor: Levels,
  dependent: Levels | null,
  seed: number,
  file: string,
): GroupComparison {
  const groupAt = (i: number) => factor.of[i] ?? -1;
  const valueAt = (i: number) => response.values[i] ?? NaN;
  const kept = Array.from(factor.of, (_, i) => i).filter(
    (i) => groupAt(i) >= 0 && !Number.isNaN(valueAt(i)) && (!dependent || (dependent.of[i] ?? -1) >= 0),
  );
  const place = factor.names.map((_, group) => kept.filter((i) => groupAt(i) === group).map(valueAt));
  const names = factor.names.filter((_, group) => (place[group] ?? []).length > 0);
  const groups = place.filter((values) => values.length > 0);
  const anova = oneWayAnova(groups);
  if (!anova) {
    const why =
      groups.length < 2
        ? `only the group "${names[0] ?? ''}" has values`
        : groups.every((values) => values.length === 1)
          ? 'every group has one row'
          : 'within every group all values are the same';
    throw new LayerifError(
      'badData',
      `${response.name} by ${factor.name} cannot be compared: ${why}; an analysis of variance needs two groups and variance within them`,
      { place: { file } },
    );
  }
  const { f, between, within, p: chance, etaSquared } = anova;
  const index = new Map(names.map((name, i) => [name, i]));
  const bootstrap = dependent
    ? clusterBootstrap(
        kept.map(valueAt),
        kept.map((i) => index.get(factor.names[groupAt(i)] ?? '')!),
        kept.map((i) => dependent.of[i] ?? 0),
        {
          random: new Random(seed, `cluster bootstrap ${response.name} ${factor.name}`),
          level: LEVEL,
          count: groups.length,
        },
      )
    : null;
  const variances = levene(groups);
  return {
    response: response.name,
    factor: factor.name,
    rows: kept.length,
    groups: groups.map((values, i) => described(names[i] ?? '', values)),
    anova: { f, between, within, p: chance, etaSquared },
    levene: variances,
    pairs: tukeyKramer(groups, anova, LEVEL).map(({ a, b, difference, low, high, q, p }, pair) => ({
      a: names[a] ?? '',
      b: names[b] ?? '',
      difference,
      interval: [low, high],
      q,
      p,
      bootstrap: bootstrap?.[pair] ?? null,
    })),
    notes: [
      ...(kept.length < response.values.length
        ? [`${response.values.length - kept.length} of ${response.values.length} rows lack a value and are left out.`]
        : []),
      ...(anova.p >= SIGNIFICANT
        ? ['The analysis of variance finds no difference at 5 %: single pairs below are not to be read as findings.']
        : []),
      ...(variances && variances.p < SIGNIFICANT
        ? [
            'Levene: the variances of the groups differ, so the p of F and of the pairs are rough, most of all where sizes differ too.',
          ]
        : []),
      ...(groups.some((values) => values.length < 5) ? ['Groups of fewer than 5 rows: their means say little.'] : []),
    ],
  };
}

/** Box and whiskers as Tukey draws them. */
function described(name: string, values: readonly number[]): ComparedGroup {
  const sorted = Float64Array.from(values).sort();
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const at = (share: number) => quantile(sorted, share);
  const [low, first, median, third, high] = [at(0), at(0.25), at(0.5), at(0.75), at(1)];
  const reach = 1.5 * (third - first);
  const inside = sorted.filter((value) => value >= first - reach && value <= third + reach);
  return {
    name,
    count: sorted.length,
    mean,
    deviation: sorted.length > 1 ? Math.sqrt(squares / (sorted.length - 1)) : null,
    quartiles: [low, first, median, third, high],
    whiskers: [inside[0] ?? low, inside.at(-1) ?? high],
    outliers: [...sorted.filter((value) => value < first - reach || value > third + reach)],
  };
}
