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
import type { Agreement, Statistic } from './agreementMeasures.ts';
import { criticalValue, Multipliers, spreadOf, valueInterval } from './jackknife.ts';
import type { LeftOut, Spread } from './jackknife.ts';

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
}

/** Share of the cases in which an interval holds the truth. */
export const LEVEL = 0.95;

interface Found {
  predictor: Predictor;
  statistic: Statistic;
  value: number | null;
  left: LeftOut;
}

/** @returns one row per predictor that says something, in their order */
export function agreementRows(
  predictors: readonly Predictor[],
  agreement: Agreement,
  { seed, values, permutations = 999 }: AgreementOptions,
): AgreementRow[] {
  const statisticOf = (predictor: Predictor): Statistic | null => {
    const own = values(predictor);
    return own && agreement.of(own);
  };
  const found = predictors.flatMap((predictor): Found[] => {
    const statistic = predictor.draws ? averaged(predictor.draws.map(statisticOf)) : statisticOf(predictor);
    if (!statistic) return [];
    const left = new Map(
      agreement.terms.flat().map(({ name, count }) => {
        return [name, Array.from({ length: count }, (_, member) => statistic({ without: { level: name, member } }))];
      }),
    );
    return [{ predictor, statistic, value: statistic(), left }];
  });
  const p = chances(found, agreement, permutations, new Random(seed, 'shuffled training samples'));
  const rows = found.map(({ predictor: { id, point, control }, value, left }): AgreementRow => {
    const interval =
      value === null ? null : valueInterval(value, spreadOf(left, agreement.terms), agreement.range, LEVEL);
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
  const own = (row: number) => found[row].predictor;
  const multipliers = new Multipliers(new Random(seed, 'leads'));
  const compare = (pairs: { row: number; other: number }[]) => leads(found, agreement, pairs, multipliers);
  const estimators = found.flatMap(({ predictor }, row) => (predictor.point !== null ? [row] : []));
  const overDot = estimators.flatMap((row) => {
    const other = found.findIndex(({ predictor: { id, point } }) => id === 'dot' && point === own(row).point);
    return other < 0 || other === row ? [] : [{ row, other }];
  });
  for (const { row, difference, interval } of compare(overDot)) rows[row].overDot = { difference, interval };
  found.forEach(({ predictor: control }, other) => {
    if (!control.control || control.point !== null) return;
    const pairs = estimators.filter((row) => !own(row).control).map((row) => ({ row, other }));
    for (const { row, difference, interval } of compare(pairs))
      (rows[row].overControls ??= []).push({ control: control.id, difference, interval });
  });
  return rows;
}

/** Differences of pairs with intervals that hold for all of them at once. */
function leads(
  found: readonly Found[],
  { terms, range }: Agreement,
  pairs: readonly { row: number; other: number }[],
  multipliers: Multipliers,
) {
  const known = pairs.flatMap(({ row, other }) => {
    const [a, b] = [found[row], found[other]];
    if (a.value === null || b.value === null) return [];
    const left = new Map(
      [...a.left].map(([name, values]) => {
        const others = b.left.get(name)!;
        return [name, values.map((v, i) => (v === null || others[i] === null ? null : v - others[i]))];
      }),
    );
    return [{ row, difference: a.value - b.value, spread: spreadOf(left, terms) }];
  });
  const critical = criticalValue(
    known.flatMap(({ spread }) => spread ?? []),
    LEVEL,
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
    return known.map(({ statistic }) => statistic({ order }));
  });
  const standard = known.map(({ value }, k) => {
    const all = [value, ...drawn.map((row) => row[k])].filter((v) => v !== null);
    const mean = all.reduce((sum, v) => sum + v, 0) / all.length;
    const deviation = Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length);
    // An undefined value of a random order says nothing: the mean. So does a value that no order changes.
    return (v: number | null) => (v === null || !(deviation > 1e-12) ? 0 : (v - mean) / deviation);
  });
  const largest = drawn.map((row) => Math.max(...row.map((v, k) => standard[k](v))));
  return new Map(
    known.map(({ predictor: { id, point }, value }, k) => {
      const seen = standard[k](value) - 1e-9;
      return [`${id} ${point}`, (1 + largest.filter((v) => v >= seen).length) / (1 + permutations)];
    }),
  );
}

function averaged(statistics: readonly (Statistic | null)[]): Statistic {
  return (change) => {
    const values = statistics.flatMap((statistic) => statistic?.(change) ?? []);
    return values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length;
  };
}
