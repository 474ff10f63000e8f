/** Python's `text % values`, which the filter `format` is too. */
import { countPieces, repeatedText, requireText } from './limits.ts';
import { float, isFloat, isWhole, whole, wholeText } from './numbers.ts';
import { characterOf, floatDigits } from './formatSpec.ts';
import { Dict, Tuple, isNumeric, typeName } from './objects.ts';
import { PythonDecimal } from './pythonDecimal.ts';
import { quoted, representation, text } from './text.ts';

const DIRECTIVE = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|\d+)?(?:(\.)(\*|\d+)?)?[hlL]?(.)?/gsu;

/** @throws Error as Python: too few or too many values, a value of another type */
export function percentFormat(template: string, values: unknown): string {
  const list = values instanceof Tuple ? [...values.items] : [values];
  let used = 0;
  const next = (): unknown => {
    if (used >= list.length) throw new Error('not enough arguments for format string');
    return list[used++];
  };
  let named = false;
  let made = 0;
  countPieces(template.split('%').length - 1);
  const shown = template.replace(DIRECTIVE, (_, key: string | undefined, flags: string, wide, point, precise, type) => {
    if (type === '%') return '%';
    if (type === undefined) throw new Error('incomplete format');
    if (key !== undefined) {
      if (!(values instanceof Dict)) throw new Error('format requires a mapping');
      if (!values.has(key)) throw new Error(`there is no key ${quoted(key)} for %(${key})`);
      named = true;
    }
    const starred = (size: string | undefined): number | null =>
      size === undefined ? null : size === '*' ? Number(next()) : Number(size);
    const width = starred(wide as string | undefined) ?? 0;
    const precision = starred(precise as string | undefined) ?? (point === undefined ? null : 0);
    const value = key === undefined ? next() : (values as Dict).get(key);
    const computed = value instanceof PythonDecimal && !'sra'.includes(String(type)) ? asNumber(value, type) : value;
    const left = flags.includes('-') || width < 0;
    const { sign, body, numeric } = one(type as string, computed, flags, precision);
    const missing = Math.max(0, Math.abs(width) - [...sign].length - [...body].length);
    const zeros = !left && numeric && flags.includes('0');
    const fill = repeatedText(zeros ? '0' : ' ', missing);
    made = requireText(made + sign.length + body.length + fill.length);
    return left ? sign + body + fill : zeros ? sign + fill + body : fill + sign + body;
  });
  if (!named && used < list.length && !(values instanceof Dict))
    throw new Error('not all arguments converted during string formatting');
  return shown;
}

/** A decimal as `%` takes it. */
function asNumber(value: PythonDecimal, type: unknown): unknown {
  return 'diu'.includes(String(type)) ? whole(value.toWhole()) : float(value.toFloat());
}

function one(
  type: string,
  value: unknown,
  flags: string,
  precision: number | null,
): { sign: string; body: string; numeric: boolean } {
  const signed = (negative: boolean): string =>
    negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  const alternate = flags.includes('#');
  switch (type) {
    case 's':
    case 'r':
    case 'a': {
      const shown =
        type === 's'
          ? text(value)
          : type === 'a' && typeof value === 'string'
            ? quoted(value, true)
            : representation(value);
      return { sign: '', body: precision === null ? shown : [...shown].slice(0, precision).join(''), numeric: false };
    }
    case 'c':
      return {
        sign: '',
        body: typeof value === 'string' ? value : characterOf(value),
        numeric: false,
      };
    case 'd':
    case 'i':
    case 'u':
    case 'o':
    case 'x':
    case 'X': {
      if (!isNumeric(value) || (isFloat(value) && !'diu'.includes(type)))
        throw new Error(
          `%${type} format: ${'diu'.includes(type) ? 'a real number' : 'an integer'} is required, not ${typeName(value)}`,
        );
      const number = isWhole(value) || typeof value === 'boolean' ? BigInt(value) : BigInt(Math.trunc(Number(value)));
      const base = type === 'o' ? 8 : type.toLowerCase() === 'x' ? 16 : 10;
      const size = number < 0n ? -number : number;
      const digits = (base === 10 ? wholeText(size) : size.toString(base)).padStart(requireText(precision ?? 0), '0');
      const prefix = alternate && base === 16 ? '0x' : alternate && base === 8 ? '0o' : '';
      const cased = (shown: string): string => (type === 'X' ? shown.toUpperCase() : shown);
      return { sign: signed(number < 0n) + cased(prefix), body: cased(digits), numeric: true };
    }
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      if (!isNumeric(value)) throw new Error(`must be real number, not ${typeName(value)}`);
      const number = Number(value);
      const negative = number < 0 || Object.is(number, -0);
      return {
        sign: signed(negative),
        body: floatDigits(number, type, precision, alternate),
        numeric: Number.isFinite(number),
      };
    }
    default:
      throw new Error(`unsupported format character '${type}'`);
  }
}
