/**
 * Intervals from a scatter, and what the largest of several differences exceeds by chance.
 *
 * Intervals take Student's t. For the best of several differences the critical value is that of the largest |t| among
 * them: their joint scatter is imitated by random weights on the deviations (multiplier bootstrap, Chernozhukov,
 * Chetverikov & Kato 2013).
 */
import type { Random } from '../random/random.ts';
import type { Interval } from '../statistics/intervals.ts';
import { quantile } from '../statistics/intervals.ts';
import { studentQuantile } from '../statistics/student.ts';
import type { Spread } from './resampling.ts';

const DRAWS = 2000;

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
    const bound = 2 * ((1 - level) / 2) ** (1 / spread.members) - 1;
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
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = random.normal();
  return values;
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
