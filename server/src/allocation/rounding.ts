/**
 * From shares of a total to whole numbers with exactly that sum. Ties go to the lower layer.
 *
 * `largestRemainders` (Hamilton; LayerIF section "expert allocation") keeps the order of the shares.
 * `alphaLoraRounding` repeats what AlphaLoRA's released code does (peijunallin/alphalora), whose repair loop does not.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { nth } from '../lists/nth.ts';

export interface Rounded {
  counts: number[];
  /** Before rounding, without the minimum: sums to `total - minimum * layers`. */
  shares: number[];
  /** What rounding up or the repair loop added to or took from each layer. */
  repaired: number[];
}

/**
 * minimum + floor(share) each, and one more for those with the largest fractions until the sum is `total`.
 *
 * @param weights not negative, any scale; all zero counts as all equal
 * @param values what the weights are powers of: decides between fractions that are equal in float64
 * @throws LayerifError `badRequest` when `total` does not reach the minimum of every layer
 */
export function largestRemainders(
  weights: readonly number[],
  total: number,
  minimum: number,
  values: readonly number[] = weights,
): Rounded {
  requireTotal(weights.length, total, minimum);
  const extra = total - minimum * weights.length;
  const shares = proportions(weights).map((share) => share * extra);
  const floors = shares.map(Math.floor);
  const left = extra - sum(floors);
  const fractions = shares.map((share, i) => share - nth(floors, i));
  const byFraction = weights
    .map((_, i) => i)
    .sort((a, b) => nth(fractions, b) - nth(fractions, a) || nth(values, b) - nth(values, a) || a - b);
  const repaired = weights.map(() => 0);
  for (const layer of byFraction.slice(0, Math.max(0, left))) repaired[layer] = 1;
  // Shares that float64 rounds up to a whole number can overshoot by one; the smallest such share gives it back.
  for (const layer of byFraction.filter((i) => nth(floors, i) > 0).slice(left < 0 ? left : Infinity))
    repaired[layer] = -1;
  return { counts: floors.map((floor, i) => minimum + floor + nth(repaired, i)), shares, repaired };
}

/**
 * Rounded shares of the total, raised to the minimum, then repaired one by one: while the sum is too small, +1 for the
 * layer with the smallest `power - count`; while it is too large, -1 for the layer with the largest. Powers and counts
 * are compared as they are, unscaled, which is the published behaviour. Raising before repairing keeps the sum exact.
 *
 * @param powers score ** beta, not negative
 * @throws LayerifError `badRequest` as above
 */
export function alphaLoraRounding(powers: readonly number[], total: number, minimum: number): Rounded {
  requireTotal(powers.length, total, minimum);
  const shares = proportions(powers).map((share) => share * total);
  const rounded = shares.map(roundHalfToEven);
  const counts = rounded.map((count) => Math.max(minimum, count));
  for (let gap = total - sum(counts); gap !== 0; gap -= Math.sign(gap)) {
    const distance = powers.map((power, i) => power - nth(counts, i));
    const layer = gap > 0 ? order(distance.map((d) => -d))[0] : order(distance).find((i) => nth(counts, i) > minimum);
    if (layer === undefined) throw new RangeError(`no layer can give back one of ${sum(counts)} to reach ${total}`);
    counts[layer] = nth(counts, layer) + Math.sign(gap);
  }
  return { counts, shares, repaired: counts.map((count, i) => count - nth(rounded, i)) };
}

/** Indices by descending value; equal values in ascending order of index. */
export function order(values: readonly number[]): number[] {
  return values.map((_, i) => i).sort((a, b) => nth(values, b) - nth(values, a) || a - b);
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** (v - min) / (max - min); all 0 when all are equal. */
export function minMax(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const range = Math.max(...values) - low;
  return values.map((value) => (range > 0 ? (value - low) / range : 0));
}

/** Shares of one; equal shares when nothing is above zero. */
function proportions(weights: readonly number[]): number[] {
  const total = sum(weights);
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
}

/** As Python's `round`. */
function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function requireTotal(layers: number, total: number, minimum: number): void {
  if (!Number.isSafeInteger(total) || total < layers * minimum) {
    throw new LayerifError(
      'badRequest',
      `a total of ${total} is too small for ${layers} layers with at least ${minimum} each: use a whole number from ${layers * minimum}, or a smaller minimum`,
    );
  }
}
