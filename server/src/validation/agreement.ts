/**
 * How well predicted influence agrees with what happened, for every protocol of `layerif validate`: one row per
 * predictor with an interval, its lead over gradient dot and over every other control, and how often predictions that
 * know nothing do as well.
 *
 * An interval of a value is meant for that row alone. Leads are compared for all estimators at once, and so is p:
 * whichever of them is picked afterwards, within one measure at most 5 % of the statements about it are wrong.
 */
import type { AgreementRow } from '../../../protocol/validation.ts';
import { Random } from '../random/random.ts';
import type { Agreement } from './agreementMeasures.ts';
import { criticalValue, Multipliers, valueInterval } from './jackknife.ts';
import { differenceOf, Resampling } from './resampling.ts';
import type { Changes, Spread, Statistic } from './resampling.ts';
import { nth } from '../lists/nth.ts';

export interface Predictor {
  id: string;
  /** Where the gradients were taken, such as `pretrained` or `trained`; null for controls without gradients. */
  point: string | null;
  /**
   * Whether it stands for doing without influence: random, uniform, similarity, bm25, length, loss. Gradient dot is one
   * too.
   */
  control: boolean;
  /** n x m, row-major. */
  B: Float64Array | null;
  /** n: how much a training sample helps itself; null where that is not defined. */
  self: Float64Array | null;
  /**
   * Draws of a random control, whose statistics are averaged: one draw may look good by luck. Each is a predictor
   * without draws.
   */
  draws?: readonly Predictor[];
}

export interface AgreementOptions {
  seed: number;
  /** What a predictor has to say; null where it says nothing. */
  values: (predictor: Predictor) => Float64Array | null;
  /** Random orders for p; default 999. */
  permutations?: number;
  /** Share of the cases in which an interval holds the truth; default `LEVEL`. */
  level?: number;
}

/** The level of the intervals that are shown. */
export const LEVEL = 0.95;

interface Found {
  predictor: Predictor;
  statistic: Statistic;
  value: number | null;
  changes: Changes;
}

/** @returns one row per predictor that says something, in their order */
export function agreementRows(
  predictors: readonly Predictor[],
  agreement: Agreement,
  { seed, values, permutations = 999, level = LEVEL }: AgreementOptions,
): AgreementRow[] {
  const statisticOf = (predictor: Predictor): Statistic | null => {
    const own = values(predictor);
    return own && agreement.of(own);
  };
  const resampling = new Resampling(agreement.units, agreement.others, new Random(seed, 'halves'));
  const found = predictors.flatMap((predictor): Found[] => {
    const statistic = predictor.draws ? averaged(predictor.draws.map(statisticOf)) : statisticOf(predictor);
    if (!statistic) return [];
    return [{ predictor, statistic, value: statistic.value(), changes: resampling.of(statistic) }];
  });
  const p = chances(found, agreement, permutations, new Random(seed, 'shuffled training samples'));
  const rows = found.map(({ predictor: { id, point, control }, value, changes }): AgreementRow => {
    const interval = value === null ? null : valueInterval(value, resampling.spread(changes), agreement.range, level);
    const chance = p.get(`${id} ${point}`);
    return {
      predictor: id,
      point,
      control,
      value,
      interval,
      overDot: null,
      ...(chance === undefined ? {} : { p: chance }),
    };
  });
  const own = (row: number) => nth(found, row).predictor;
  const multipliers = new Multipliers(new Random(seed, 'leads'));
  const compare = (pairs: { row: number; other: number }[]) =>
    leads(found, resampling, agreement.range, pairs, multipliers, level);
  const estimators = found.flatMap(({ predictor }, row) => (predictor.point !== null ? [row] : []));
  const overDot = estimators.flatMap((row) => {
    const other = found.findIndex(({ predictor: { id, point } }) => id === 'dot' && point === own(row).point);
    return other < 0 || other === row ? [] : [{ row, other }];
  });
  for (const { row, difference, interval } of compare(overDot)) nth(rows, row).overDot = { difference, interval };
  found.forEach(({ predictor: control }, other) => {
    if (!control.control || control.point !== null) return;
    const pairs = estimators.filter((row) => !own(row).control).map((row) => ({ row, other }));
    for (const { row, difference, interval } of compare(pairs))
      (nth(rows, row).overControls ??= []).push({ control: control.id, difference, interval });
  });
  return rows;
}

/** Differences of pairs with intervals that hold for all of them at once. */
function leads(
  found: readonly Found[],
  resampling: Resampling,
  range: Agreement['range'],
  pairs: readonly { row: number; other: number }[],
  multipliers: Multipliers,
  level: number,
) {
  const known = pairs.flatMap(({ row, other }) => {
    const [a, b] = [nth(found, row), nth(found, other)];
    if (a.value === null || b.value === null) return [];
    return [{ row, difference: a.value - b.value, spread: resampling.spread(differenceOf(a.changes, b.changes)) }];
  });
  const critical = criticalValue(
    known.flatMap(({ spread }) => spread ?? []),
    level,
    multipliers,
  );
  const widest = range[1] - range[0];
  const within = (value: number) => Math.max(-widest, Math.min(widest, value));
  return known.map(({ row, difference, spread }) => ({
    row,
    difference,
    interval: leadInterval(difference, spread, critical, within),
  }));
}

function leadInterval(
  difference: number,
  spread: Spread | null,
  critical: number,
  within: (value: number) => number,
): [number, number] | null {
  if (!spread) return null;
  // Without scatter: equal because they order alike, or at the edges of their range, where the scatter cannot be seen.
  if (spread.error === 0) return Math.abs(difference) < 1e-12 ? [0, 0] : null;
  const reach = critical * spread.error;
  return [within(difference - reach), within(difference + reach)];
}

/**
 * For each predictor with gradients: the probability that the best of as many that know nothing does as well (the
 * largest standardised value over random orders, Westfall & Young 1993). Keys are id and point.
 */
function chances(
  found: readonly Found[],
  agreement: Agreement,
  permutations: number,
  random: Random,
): Map<string, number> {
  const known = found.filter(({ predictor, value }) => predictor.point !== null && value !== null);
  if (known.length === 0) return new Map();
  const drawn = Array.from({ length: permutations }, () => {
    const order = agreement.shuffled(random);
    return known.map(({ statistic }) => statistic.value({ order }));
  });
  const standard = known.map(({ value }, k) => {
    const all = [value, ...drawn.map((row) => nth(row, k))].filter((v) => v !== null);
    const mean = all.reduce((sum, v) => sum + v, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length);
    // An undefined value of a random order says nothing: the mean. So does a value that no order changes.
    return (v: number | null) => (v === null || !(deviation > 1e-12) ? 0 : (v - mean) / deviation);
  });
  const largest = drawn.map((row) => Math.max(...row.map((v, k) => nth(standard, k)(v))));
  return new Map(
    known.map(({ predictor: { id, point }, value }, k) => {
      const seen = nth(standard, k)(value) - 1e-9;
      return [`${id} ${point}`, (1 + largest.filter((v) => v >= seen).length) / (1 + permutations)];
    }),
  );
}

function averaged(statistics: readonly (Statistic | null)[]): Statistic {
  const known = statistics.filter((statistic) => statistic !== null);
  const mean = (values: readonly (number | null)[]) => {
    const own = values.filter((value) => value !== null);
    return own.length === 0 ? null : own.reduce((sum, v) => sum + v, 0) / own.length;
  };
  return {
    value: (change) => mean(known.map(({ value }) => value(change))),
    withoutEach(halves) {
      const lists = known.map(({ withoutEach }) => withoutEach(halves));
      return lists[0]?.map((list, u) => list.map((_, k) => mean(lists.map((own) => nth(nth(own, u), k))))) ?? [];
    },
  };
}
