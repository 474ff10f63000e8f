/**
 * Numbers of rows as Python tells them apart. A whole number is a JavaScript number, beyond 2^53 a bigint; a float is a
 * JavaScript number too, unless it is whole: 3.0 is a `WholeFloat`, so that it prints with its point.
 */

/** A float that is whole: prints "3.0", computes and serialises as 3. */
export class WholeFloat extends Number {}

export function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
}

export function isFloat(value: unknown): value is number | WholeFloat {
  return value instanceof WholeFloat || (typeof value === 'number' && !Number.isSafeInteger(value));
}

/** A JavaScript number that is known to be a float. */
export function float(value: number): number | WholeFloat {
  return Number.isSafeInteger(value) ? new WholeFloat(value) : value;
}

/** An exact whole number in its smallest form. */
export function whole(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** Digits of a whole number that Python turns into text, or reads from one. */
export const MOST_WHOLE_DIGITS = 4300;

/** @throws Error as Python for a number that is too long to be shown */
export function wholeText(value: number | bigint): string {
  const shown = String(value);
  if (shown.length > MOST_WHOLE_DIGITS && shown.replace('-', '').length > MOST_WHOLE_DIGITS)
    throw new Error(`a whole number of ${shown.length} digits; Python shows at most ${MOST_WHOLE_DIGITS}`);
  return shown;
}

/**
 * Python's `repr` of a float: the shortest digits that read back as the same number, an exponent below -4 and from 16
 * on.
 */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [mantissa = '', power] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, '0');
  return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1) || '0'}`;
}
