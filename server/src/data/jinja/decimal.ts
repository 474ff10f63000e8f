/**
 * Exact decimal digits of a float, ties to even, as C's printf gives them. JavaScript's `toFixed` rounds ties up and
 * ends at 1e21.
 */

/** |value| = numerator / denominator, a power of two. */
export function ratio(value: number): { numerator: bigint; denominator: bigint } {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const power = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  const mantissa = power === 0 ? fraction : fraction | (1n << 52n);
  const exponent = (power === 0 ? 1 : power) - 1075;
  return exponent >= 0
    ? { numerator: mantissa << BigInt(exponent), denominator: 1n }
    : { numerator: mantissa, denominator: 1n << BigInt(-exponent) };
}

function rounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const rest = 2n * (numerator % denominator);
  const up = rest > denominator || (rest === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** Most digits that are printed. */
const MOST_DIGITS = 1000;

/**
 * Digits of |value| with `places` behind the point (`%.3f`).
 * @param places may be negative: then tens, hundreds ... are rounded
 */
export function fixedDigits(value: number, places: number): string {
  if (Math.abs(places) > MOST_DIGITS)
    throw new Error(`${places} digits are more than the ${MOST_DIGITS} that are printed`);
  const { numerator, denominator } = ratio(value);
  const scale = 10n ** BigInt(Math.abs(places));
  if (places <= 0) {
    const units = rounded(numerator, denominator * scale);
    return places === 0 ? String(units) : String(units * scale);
  }
  const digits = String(rounded(numerator * scale, denominator)).padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** |value| as `digits` significant digits and a power of ten. */
export function significant(value: number, digits: number): { digits: string; exponent: number } {
  if (digits > MOST_DIGITS) throw new Error(`${digits} digits are more than the ${MOST_DIGITS} that are printed`);
  if (value === 0) return { digits: '0'.repeat(digits), exponent: 0 };
  const { numerator, denominator } = ratio(value);
  let exponent = Number(Math.abs(value).toExponential().split('e')[1]);
  for (;;) {
    const shift = digits - 1 - exponent;
    const text = String(
      shift >= 0
        ? rounded(numerator * 10n ** BigInt(shift), denominator)
        : rounded(numerator, denominator * 10n ** BigInt(-shift)),
    );
    if (text.length === digits) return { digits: text, exponent };
    exponent += text.length - digits;
  }
}

/** Python's `round(value, places)` of a float. */
export function roundFloat(value: number, places: number): number {
  if (!Number.isFinite(value) || places > 350) return value;
  if (places < -350) return 0 * value;
  const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
  return sign * Number(fixedDigits(value, places));
}
