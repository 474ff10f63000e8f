/**
 * Python's decimal.Decimal: digits and a scale, so that 1.50 keeps its zero and no digit is rounded. Sums, differences
 * and products are exact, as in Python up to its 28 digits.
 */
import { lookup } from '../../text/lookup.ts';
import { ratio } from './decimal.ts';
import { PythonValue } from './pythonValue.ts';

/** `str` writes an exponent below this power of ten. */
const LEAST_FIXED_POWER = -6;

/** Digits to which Python's default context rounds. */
const MOST_DIGITS = 28;

const exactly: Readonly<Record<string, (a: PythonDecimal, b: PythonDecimal) => PythonDecimal>> = {
  '+': (a, b) => a.plus(b),
  '-': (a, b) => a.plus(b.negated()),
  '*': (a, b) => a.times(b),
};

/** @throws Error for an operator that is not computed, and a result with more digits than Python keeps */
export function decimalOperation(operator: string, a: PythonDecimal, b: PythonDecimal): PythonDecimal {
  const result = lookup(exactly, operator)?.(a, b);
  if (result === undefined || result.length > MOST_DIGITS)
    throw new Error(
      `"${operator}" of ${a.representation()} and ${b.representation()} is not computed here: write |float behind them`,
    );
  return result;
}

export class PythonDecimal extends PythonValue {
  readonly type = 'decimal.Decimal';
  readonly #digits: bigint;
  readonly #scale: number;

  /** @param scale digits behind the point, 0 or more */
  constructor(digits: bigint, scale: number) {
    super();
    this.#digits = digits;
    this.#scale = scale;
  }

  toString(): string {
    const sign = this.#digits < 0n ? '-' : '';
    const digits = String(this.#digits < 0n ? -this.#digits : this.#digits);
    const power = digits.length - 1 - this.#scale;
    if (power < LEAST_FIXED_POWER && this.#scale > 0) {
      const [first = '', rest] = [digits.slice(0, 1), digits.slice(1)];
      return `${sign}${first}${rest === '' ? '' : `.${rest}`}E${power}`;
    }
    if (this.#scale === 0) return sign + digits;
    const padded = digits.padStart(this.#scale + 1, '0');
    return `${sign}${padded.slice(0, -this.#scale)}.${padded.slice(-this.#scale)}`;
  }

  representation(): string {
    return `Decimal('${this.toString()}')`;
  }

  compare(other: PythonValue): number | undefined {
    if (!(other instanceof PythonDecimal)) return undefined;
    const scale = Math.max(this.#scale, other.#scale);
    const [a, b] = [this.#at(scale), other.#at(scale)];
    return Number(a > b) - Number(a < b);
  }

  /** A finite float, to its last bit. */
  static ofFloat(value: number): PythonDecimal {
    const { numerator, denominator } = ratio(value);
    const twos = denominator.toString(2).length - 1;
    const digits = numerator * 5n ** BigInt(twos);
    return new PythonDecimal(value < 0 ? -digits : digits, twos);
  }

  /** Number of digits. */
  get length(): number {
    return String(this.#digits).replace('-', '').length;
  }

  plus(other: PythonDecimal): PythonDecimal {
    const scale = Math.max(this.#scale, other.#scale);
    return new PythonDecimal(this.#at(scale) + other.#at(scale), scale);
  }

  times(other: PythonDecimal): PythonDecimal {
    return new PythonDecimal(this.#digits * other.#digits, this.#scale + other.#scale);
  }

  negated(): PythonDecimal {
    return new PythonDecimal(-this.#digits, this.#scale);
  }

  /** With `places` digits behind the point, ties to even. */
  rounded(places: number): PythonDecimal {
    const scale = Math.max(0, places);
    if (scale >= this.#scale) {
      if (this.length + scale - this.#scale > MOST_DIGITS)
        throw new Error(`${places} places are more than the ${MOST_DIGITS} digits of a decimal`);
      return new PythonDecimal(this.#at(scale), scale);
    }
    const unit = 10n ** BigInt(this.#scale - scale);
    const size = this.#digits < 0n ? -this.#digits : this.#digits;
    const [down, rest] = [size / unit, 2n * (size % unit)];
    const up = rest > unit || (rest === unit && down % 2n === 1n) ? down + 1n : down;
    return new PythonDecimal(this.#digits < 0n ? -up : up, scale);
  }

  /** The digits with another scale, not smaller than its own. */
  #at(scale: number): bigint {
    return this.#digits * 10n ** BigInt(scale - this.#scale);
  }

  override truth(): boolean {
    return this.#digits !== 0n;
  }

  /** The nearest float, for the filter `float`. */
  toFloat(): number {
    return Number(`${this.#digits}e${-this.#scale}`);
  }

  /** Without what stands behind the point, for the filter `int`. */
  toWhole(): bigint {
    return this.#digits / 10n ** BigInt(this.#scale);
  }
}
