/**
 * Python's format specifications, `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, and the number
 * forms that they share with `%`.
 */
import { repeatedText, requireText } from './limits.ts';
import { floatText, isFloat, isWhole, wholeText } from './numbers.ts';
import { fixedDigits, significant } from './decimal.ts';
import { typeName } from './objects.ts';
import { text } from './text.ts';
import { lookup } from '../../text/lookup.ts';

const SPEC = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/su;

const LAST_CODE_POINT = 0x10ffff;

interface Spec {
  fill: string;
  align: string | undefined;
  sign: string;
  noNegativeZero: boolean;
  alternate: boolean;
  width: number;
  grouping: string | undefined;
  precision: number | null;
  type: string | undefined;
}

/** `format(value, spec)` @throws Error for a specification that does not fit the type */
export function formatted(value: unknown, specification: string): string {
  if (specification === '') return text(value);
  const found = SPEC.exec(specification);
  if (!found) throw new Error(`Invalid format specifier '${specification}'`);
  const [, fill, align, sign = '-', z, alternate, zero, width, grouping, precision, type] = found;
  const spec: Spec = {
    fill: fill ?? (zero ? '0' : ' '),
    align: align ?? (zero && typeof value !== 'string' ? '=' : undefined),
    sign,
    noNegativeZero: z !== undefined,
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping,
    precision: precision === undefined ? null : Number(precision),
    type,
  };
  requireText(spec.width);
  if (isWhole(value) || (typeof value === 'boolean' && type !== undefined && type !== 's')) {
    return 'eEfFgG%'.includes(type ?? ' ') ? ofFloat(Number(value), spec) : ofInteger(BigInt(value), spec);
  }
  if (typeof value === 'boolean') return type === 's' ? refuse(type, 'bool') : ofInteger(BigInt(value), spec);
  if (isFloat(value)) return ofFloat(Number(value), spec);
  if (typeof value !== 'string') throw new Error(`unsupported format string passed to ${typeName(value)}.__format__`);
  if (type !== undefined && type !== 's') return refuse(type, 'str');
  if (spec.align === '=') throw new Error("'=' alignment not allowed in string format specifier");
  const shown = spec.precision === null ? value : [...value].slice(0, spec.precision).join('');
  return padded('', shown, { ...spec, align: spec.align ?? '<' });
}

function refuse(type: string, name: string): never {
  throw new Error(`Unknown format code '${type}' for object of type '${name}'`);
}

function ofInteger(value: bigint, spec: Spec): string {
  if (spec.precision !== null) throw new Error('Precision not allowed in integer format specifier');
  const size = value < 0n ? -value : value;
  const sign = signOf(value < 0n, spec.sign);
  const bases: Record<string, [number, string]> = { b: [2, '0b'], o: [8, '0o'], x: [16, '0x'], X: [16, '0X'] };
  const type = spec.type ?? 'd';
  if (Object.hasOwn(bases, type)) {
    const [base, prefix] = lookup(bases, type)!;
    const digits = size.toString(base);
    const shown = type === 'X' ? digits.toUpperCase() : digits;
    return padded(sign + (spec.alternate ? prefix : ''), shown, spec, 4);
  }
  if (type === 'c') return padded('', characterOf(value), { ...spec, align: spec.align ?? '<' });
  if (type !== 'd' && type !== 'n') return refuse(type, 'int');
  return padded(sign, wholeText(size), spec, 3);
}

function ofFloat(value: number, spec: Spec): string {
  const { type } = spec;
  if (type !== undefined && !'eEfFgGn%'.includes(type)) return refuse(type, 'float');
  const percent = type === '%';
  const shown = floatDigits(percent ? value * 100 : value, percent ? 'f' : type, spec.precision, spec.alternate);
  const isZero = spec.noNegativeZero && !/[1-9]/.test(shown) && Number.isFinite(value);
  const negative = !isZero && (value < 0 || Object.is(value, -0));
  return padded(signOf(negative, spec.sign), shown + (percent ? '%' : ''), spec, 3);
}

/** Of `%c` and `{:c}`. */
export function characterOf(value: unknown): string {
  const code = Number(value);
  if (!Number.isInteger(code) || code < 0 || code > LAST_CODE_POINT) throw new Error('%c arg not in range(0x110000)');
  return String.fromCodePoint(code);
}

function signOf(negative: boolean, sign: string): string {
  return negative ? '-' : sign === '-' ? '' : sign;
}

/** Digits of |value| by one of `e E f F g G`, or as `repr` where the type is undefined. */
export function floatDigits(
  value: number,
  type: string | undefined,
  precision: number | null,
  alternate: boolean,
): string {
  const upper = type !== undefined && 'EFG'.includes(type);
  const cased = (shown: string): string => (upper ? shown.toUpperCase() : shown);
  if (!Number.isFinite(value)) return cased(Number.isNaN(value) ? 'nan' : 'inf');
  switch (type?.toLowerCase() ?? '') {
    case 'f': {
      const shown = fixedDigits(value, precision ?? 6);
      return precision === 0 && alternate ? `${shown}.` : shown;
    }
    case 'e': {
      const { digits, exponent } = significant(value, (precision ?? 6) + 1);
      return cased(scientific(digits, exponent, alternate));
    }
    case 'g':
    case 'n':
      return cased(general(value, precision ?? 6, alternate, -4, precision ?? 6));
    default:
      if (precision === null) return floatText(Math.abs(value));
      return general(value, precision, alternate, -4, precision, true);
  }
}

function scientific(digits: string, exponent: number, alternate = false): string {
  const point = digits.length > 1 ? `.${digits.slice(1)}` : alternate ? '.' : '';
  return `${digits[0]}${point}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** `%g`; with `pointed`, Python's form without type: at least one digit behind the point. */
function general(
  value: number,
  precision: number,
  alternate: boolean,
  low: number,
  high: number,
  pointed = false,
): string {
  const count = precision || 1;
  const { digits, exponent } = significant(value, count);
  const kept = alternate ? digits : digits.replace(/0+$/, '') || '0';
  if (exponent < low || exponent >= (high || 1)) return scientific(kept, exponent, alternate);
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${kept}`;
  const before = kept.padEnd(exponent + 1, '0');
  const after = before.slice(exponent + 1);
  if (after === '' && pointed) return exponent + 1 >= count ? scientific(kept, exponent) : `${before}.0`;
  return before.slice(0, exponent + 1) + (after || alternate ? `.${after}` : '');
}

/** `1234567` -> `1,234,567` */
function inGroups(digits: string, size: number, mark: string): string {
  const first = digits.length % size || size;
  const parts = [digits.slice(0, first)];
  for (let at = first; at < digits.length; at += size) parts.push(digits.slice(at, at + size));
  return parts.join(mark);
}

/** @param group digits between separators */
function padded(prefix: string, body: string, spec: Spec, group = 0): string {
  const [, digits = '', rest = ''] = (group === 4 ? /^([\da-fA-F]*)(.*)$/s : /^(\d*)(.*)$/s).exec(body) ?? [];
  const { grouping } = spec;
  const grouped = (count: string): string =>
    grouping === undefined || group === 0 ? count : inGroups(count, group, grouping);
  const isNumber = group > 0;
  let shown = isNumber && digits !== '' ? grouped(digits) + rest : body;
  const align = spec.align ?? (isNumber ? '>' : '<');
  if (align === '=' && spec.fill === '0' && spec.grouping !== undefined && isNumber) {
    const wide = spec.width - prefix.length - rest.length;
    let count = Math.max(digits.length, Math.floor((wide * group) / (group + 1)) - 1);
    while (count + Math.ceil(count / group) - 1 < wide) count += 1;
    shown = grouped(digits.padStart(count, '0')) + rest;
  }
  const missing = Math.max(0, spec.width - [...prefix].length - [...shown].length);
  const fill = (count: number): string => repeatedText(spec.fill, count);
  switch (align) {
    case '<':
      return prefix + shown + fill(missing);
    case '>':
      return fill(missing) + prefix + shown;
    case '^':
      return fill(Math.floor(missing / 2)) + prefix + shown + fill(Math.ceil(missing / 2));
    default:
      return prefix + fill(missing) + shown;
  }
}
