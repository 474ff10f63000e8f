/**
 * How far an agreement may be from the truth. A value depends on several kinds of things that could have been others,
 * its levels: training subsets, training samples, validation samples. All validation samples share the same retrained
 * subsets, so that resampling validation samples alone says next to nothing: a hundred alike ones agree about one
 * accident.
 *
 * Each level is left out member by member (jackknife, Quenouille 1949, Tukey 1958). For independent members of a level
 * the sum of squared deviations is, on average, never below the true variance (Efron & Stein 1981); variances of levels
 * add up, which counts what two of them share twice: too wide rather than too narrow. Levels of one term are two ways
 * to see the same uncertainty (a value may be an accident of the subsets, or of the training samples that form them);
 * the wider one counts. Intervals take Student's t.
 *
 * For the best of several differences the critical value is that of the largest |t| among them: their joint scatter is
 * imitated by random weights on the deviations (multiplier bootstrap, Chernozhukov, Chetverikov & Kato 2013).
 */
import type { Random } from '../random/random.ts';
import type { Interval } from '../statistics/intervals.ts';
import { quantile } from '../statistics/intervals.ts';
import { studentQuantile } from '../statistics/student.ts';

export interface Level {
  name: string;
  /** Members. */
  count: number;
}

/** Per level its values with one member left out; null where that is not defined. */
export type LeftOut = ReadonlyMap<string, readonly (number | null)[]>;

export interface Spread {
  /** Standard error. */
  error: number;
  /** Degrees of freedom (Welch & Satterthwaite). */
  degrees: number;
  /** The level of each term that counts, its deviations: their squares add up to the variance. */
  parts: { level: string; deviations: Float64Array }[];
}

const DRAWS = 2000;

/**
 * @param terms levels that are alternatives in one term
 * @returns null where a term has no level with two defined values
 */
export function spreadOf(left: LeftOut, terms: readonly (readonly Level[])[]): Spread | null {
  const parts: Spread['parts'] = [];
  let [variance, satterthwaite] = [0, 0];
  for (const levels of terms) {
    const known = levels.flatMap(({ name }) => {
      const deviations = deviationsOf(left.get(name)!);
      return deviations ? [{ level: name, deviations, own: squares(deviations) }] : [];
    });
    if (known.length === 0) return null;
    const { own, ...widest } = known.reduce((a, b) => (b.own > a.own ? b : a));
    parts.push(widest);
    variance += own;
    satterthwaite += own ** 2 / (widest.deviations.length - 1);
  }
  const least = Math.min(...parts.map(({ deviations }) => deviations.length - 1));
  return { error: Math.sqrt(variance), degrees: satterthwaite > 0 ? variance ** 2 / satterthwaite : least, parts };
}

function deviationsOf(values: readonly (number | null)[]): Float64Array | null {
  const known = values.filter((value) => value !== null);
  if (known.length < 2 || known.length < values.length / 2) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const scale = Math.sqrt((known.length - 1) / known.length);
  // A member without which nothing is defined has no deviation; its place stays, so that levels of several values
  // match.
  return Float64Array.from(values, (value) => (value === null ? 0 : scale * (value - mean)));
}

/**
 * Symmetric in atanh of the value's place in its range (Fisher 1915), so that it holds the value and stays inside. A
 * value at the edge of its range has no scatter to see; there the bound is Clopper & Pearson's (1934) for as many
 * successes as the smallest level has members.
 *
 * @param range lowest and highest possible value
 */
export function valueInterval(
  value: number,
  spread: Spread | null,
  [low, high]: readonly [number, number],
  level: number,
): Interval | null {
  if (!spread) return null;
  const place = (2 * (value - low)) / (high - low) - 1;
  const back = (p: number) => low + ((p + 1) * (high - low)) / 2;
  if (Math.abs(place) > 1 - 1e-9) {
    const count = Math.min(...spread.parts.map(({ deviations }) => deviations.length));
    const bound = 2 * ((1 - level) / 2) ** (1 / count) - 1;
    return place > 0 ? [back(bound), high] : [low, back(-bound)];
  }
  if (spread.error === 0) return [value, value];
  const scaled = (2 * spread.error) / (high - low) / (1 - place ** 2);
  const reach = studentQuantile(level, spread.degrees) * scaled;
  const center = Math.atanh(place);
  return [back(Math.tanh(center - reach)), back(Math.tanh(center + reach))];
}

/** Random weights, the same for every question about one measure. */
export class Multipliers {
  readonly #random: Random;
  readonly #weights = new Map<string, Float64Array>();
  readonly #scales = new Map<number, Float64Array>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** DRAWS x count standard normals. */
  of(level: string, count: number): Float64Array {
    const known = this.#weights.get(level) ?? normals(DRAWS * count, this.#random);
    this.#weights.set(level, known);
    return known;
  }

  /** Square roots of DRAWS values of chi-squared / degrees. @param degrees whole */
  scales(degrees: number): Float64Array {
    const known =
      this.#scales.get(degrees) ??
      Float64Array.from({ length: DRAWS }, () => Math.sqrt(squares(normals(degrees, this.#random)) / degrees));
    this.#scales.set(degrees, known);
    return known;
  }
}

/** What |t| of the largest of several exceeds in 1 - level of the cases when all of them are truly zero. */
export function criticalValue(spreads: readonly Spread[], level: number, multipliers: Multipliers): number {
  const able = spreads.filter(({ error }) => error > 0);
  if (able.length === 0) return Infinity;
  const degrees = Math.min(...able.map((spread) => spread.degrees));
  const single = studentQuantile(level, degrees);
  if (able.length === 1) return single;
  const largest = new Float64Array(DRAWS);
  for (const { parts, error } of able) {
    const sums = new Float64Array(DRAWS);
    for (const { level: name, deviations } of parts) {
      const count = deviations.length;
      const weights = multipliers.of(name, count);
      for (let d = 0; d < DRAWS; d++) {
        for (let k = 0; k < count; k++) sums[d] += weights[d * count + k] * deviations[k];
      }
    }
    for (let d = 0; d < DRAWS; d++) largest[d] = Math.max(largest[d], Math.abs(sums[d]) / error);
  }
  const scales = multipliers.scales(Math.max(1, Math.floor(degrees)));
  const studentised = largest.map((most, d) => most / scales[d]).sort();
  return Math.max(single, quantile(studentised, level));
}

function normals(count: number, random: Random): Float64Array {
  return Float64Array.from({ length: count }, () => random.normal());
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
