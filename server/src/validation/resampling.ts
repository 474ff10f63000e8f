/**
 * How far an agreement may be from the truth. A value depends on several kinds of things that could have been others:
 * its units (training subsets, groups, samples with changed labels), over which it is close to a mean, and what all
 * units share (training samples that form the subsets, validation samples). All validation samples share the same
 * retrained subsets, so that resampling validation samples alone says next to nothing: a hundred alike ones agree about
 * one accident.
 *
 * Var θ = E Var(θ | others) + Var E(θ | others). The first is the jackknife over units (Quenouille 1949, Tukey 1958;
 * for an AUC DeLong's variance), which contains whatever units and others say together. The second is what the value
 * changes by when a random half of the others is left out; but that change, too, was seen with these units alone, and
 * its own jackknife variance over them is what units and others say together once more (Owen 2007, The pigeonhole
 * bootstrap: up to three times). So it is taken off:
 *
 *     Var(D) - mean of jackknife(D),   D = value(half of the others) - value,   not below 0.
 *
 * Of two other levels (training and validation samples) the D of each counts, less the D that only both together show.
 */
import type { Random } from '../random/random.ts';
import { nth } from '../lists/nth.ts';

export interface Level {
  name: string;
  /** Members. */
  count: number;
}

/** Per other level which of its members stay. */
export type Halves = ReadonlyMap<string, readonly boolean[]>;

/** A measure of one predictor. Null where it is not defined, such as for predictions that are all equal. */
export interface Statistic {
  value: (change?: Change) => number | null;
  /** Per level of units: without each of its members. */
  withoutEach: (halves?: Halves) => (number | null)[][];
}

export interface Change {
  /** Of other levels: the members that stay. */
  halves?: Halves;
  /** Of what `shuffled` permutes: the predictions of member i are those of order[i]. */
  order?: readonly number[];
}

export interface Spread {
  /** Standard error. */
  error: number;
  /** Degrees of freedom (Welch & Satterthwaite). */
  degrees: number;
  /** Members of the smallest level. */
  members: number;
  /** Units first. The squares of all deviations add up to the variance. */
  parts: { level: string; deviations: Float64Array }[];
}

/** A value, and the value without each unit by level of units. */
interface Reading {
  value: number | null;
  units: (number | null)[][];
}

/** A statistic and its changes, one list per choice of other levels. */
export interface Changes {
  whole: Reading;
  halved: Reading[][];
}

/** Random halves of the other levels. */
const HALVES = 50;

/** What is left out: the same for every predictor of a measure. */
export class Resampling {
  readonly #units: readonly Level[];
  readonly #others: readonly Level[];
  readonly #draws: readonly Halves[];

  constructor(units: readonly Level[], others: readonly Level[], random: Random) {
    this.#units = units;
    this.#others = others;
    this.#draws = Array.from({ length: others.length > 0 ? HALVES : 0 }, () => {
      const kept = others.map(({ name, count }): [string, boolean[]] => {
        const stays = new Set(random.subset(count, Math.ceil(count / 2)));
        return [name, Array.from({ length: count }, (_, member) => stays.has(member))];
      });
      return new Map(kept);
    });
  }

  of(statistic: Statistic): Changes {
    const read = (halves?: Halves): Reading => ({
      value: statistic.value(halves ? { halves } : {}),
      units: statistic.withoutEach(halves),
    });
    const whole = read();
    const single = this.#others.map(({ name }) =>
      this.#draws.map((draw) => less(read(new Map([[name, draw.get(name)!]])), whole)),
    );
    if (this.#others.length < 2) return { whole, halved: single };
    const both = this.#draws.map((draw, d) =>
      single.reduce((rest, own) => less(rest, nth(own, d)), less(read(draw), whole)),
    );
    return { whole, halved: [...single, both] };
  }

  /** @returns null where a level has no two members with a defined value */
  spread({ whole, halved }: Changes): Spread | null {
    if (this.#others.some(({ count }) => count < 2)) return null;
    const parts: Spread['parts'] = [];
    let [variance, satterthwaite] = [0, 0];
    for (const [u, { name }] of this.#units.entries()) {
      const deviations = deviationsOf(nth(whole.units, u));
      if (!deviations) return null;
      const own = squares(deviations);
      parts.push({ level: name, deviations });
      variance += own;
      satterthwaite += own ** 2 / (deviations.length - 1);
    }
    let [beyond, seen] = [0, 0];
    const more: Spread['parts'] = [];
    for (const [choice, draws] of halved.entries()) {
      const scatter = scatterOf(draws);
      if (!scatter) return null;
      const together = choice >= this.#others.length;
      beyond += (together ? -1 : 1) * (squares(scatter.deviations) - scatter.within);
      if (together) continue;
      seen += squares(scatter.deviations);
      more.push({ level: nth(this.#others, choice).name, deviations: scatter.deviations });
    }
    if (beyond > 0 && seen > 0) {
      const scale = Math.sqrt(beyond / seen);
      for (const { level, deviations } of more) parts.push({ level, deviations: deviations.map((d) => scale * d) });
      variance += beyond;
      satterthwaite += beyond ** 2 / Math.min(...this.#others.map(({ count }) => count - 1));
    }
    const members = Math.min(...[...this.#units, ...this.#others].map(({ count }) => count));
    const degrees = satterthwaite > 0 ? variance ** 2 / satterthwaite : members - 1;
    return { error: Math.sqrt(variance), degrees, members, parts };
  }
}

/** Of the difference of two statistics. */
export function differenceOf(a: Changes, b: Changes): Changes {
  return {
    whole: less(a.whole, b.whole),
    halved: a.halved.map((draws, choice) => draws.map((own, d) => less(own, nth(nth(b.halved, choice), d)))),
  };
}

/**
 * Deviations of the values from their mean over draws, whose squares add up to their variance, and how much of it the
 * same units explain.
 */
function scatterOf(draws: readonly Reading[]): { deviations: Float64Array; within: number } | null {
  const values = centered(draws.map(({ value }) => value));
  if (!values) return null;
  const units = nth(draws, 0).units.map((list, u) =>
    list.map((_, k) => centered(draws.map((draw) => nth(nth(draw.units, u), k)))),
  );
  let within = 0;
  for (let d = 0; d < draws.length; d++) {
    for (const list of units) {
      const own = deviationsOf(list.map((member) => member?.[d] ?? null));
      if (!own) return null;
      within += squares(own) / (draws.length - 1);
    }
  }
  return { deviations: values.map((value) => value / Math.sqrt(draws.length - 1)), within };
}

/** Less their mean; undefined ones are 0, so that places stay. Null where half of them are undefined. */
function centered(values: readonly (number | null)[]): Float64Array | null {
  const known = values.filter((value) => value !== null);
  if (known.length < 2 || known.length < values.length / 2) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return Float64Array.from(values, (value) => (value === null ? 0 : value - mean));
}

/** Of the jackknife: squares add up to the variance. */
function deviationsOf(values: readonly (number | null)[]): Float64Array | null {
  const known = values.filter((value) => value !== null).length;
  return centered(values)?.map((value) => Math.sqrt((known - 1) / known) * value) ?? null;
}

function less(a: Reading, b: Reading): Reading {
  const minus = (x: number | null, y: number | null) => (x === null || y === null ? null : x - y);
  return {
    value: minus(a.value, b.value),
    units: a.units.map((list, u) => list.map((value, k) => minus(value, nth(nth(b.units, u), k)))),
  };
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
