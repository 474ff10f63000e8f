/** What single filters make of numbers, texts and lists; the table is in `filters.ts`. */
import { MOST_WHOLE_DIGITS, float, isFloat, isWhole, whole } from './numbers.ts';
import { roundFloat } from './decimal.ts';
import {
  OverLimit,
  joinedTexts,
  repeatedText,
  requireDigits,
  requireElements,
  requireRange,
  requireText,
} from './limits.ts';
import { floatDigits } from './formatSpec.ts';
import { floatOf } from './methods.ts';
import { Dict, Markup, defined, isNumeric, typeName } from './objects.ts';
import { binary, iterate, wholeNumber } from './operators.ts';
import { PythonDecimal } from './pythonDecimal.ts';
import { lowered, splitLines, stripped } from './stringMethods.ts';
import { text } from './text.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

export function string(value: unknown): string {
  if (value instanceof Markup) return value.text;
  if (typeof defined(value) !== 'string') throw new Error(`a text is needed, not ${typeName(value)}`);
  return value as string;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', "'": '&#39;', '"': '&#34;' };
export const escaped = (value: string): string => value.replace(/[&<>'"]/g, (char) => lookup(entities, char)!);

/** Of these bases Python reads any number of digits. */
const POWERS_OF_TWO: ReadonlySet<number> = new Set([2, 4, 8, 16, 32]);

/** Python's `int(text, base)`; null for what is none, and for more digits than Python reads. */
export function integerOf(value: string, base: number): number | bigint | null {
  const source = stripped(value, null, 'both');
  requireDigits(source.length);
  const found = /^([-+]?)(0[xX]|0[oO]|0[bB])?([0-9a-zA-Z]+(?:_[0-9a-zA-Z]+)*)$/.exec(source);
  if (!found) return null;
  const [, sign, prefix = '', body = ''] = found;
  const prefixes: Record<string, number> = { '0x': 16, '0o': 8, '0b': 2 };
  let digits = body.replaceAll('_', '');
  const own = lookup(prefixes, prefix.toLowerCase());
  if (prefix !== '' && own !== base && base !== 0) digits = prefix + digits;
  const radix = base === 0 ? (own ?? 10) : base;
  if (digits.length > MOST_WHOLE_DIGITS && !POWERS_OF_TWO.has(radix)) return null;
  let total = 0n;
  for (const char of digits) {
    const digit = parseInt(char, 36);
    if (Number.isNaN(digit) || digit >= radix) return null;
    total = total * BigInt(radix) + BigInt(digit);
  }
  return whole(sign === '-' ? -total : total);
}

export function int(value: unknown, fallback: unknown, base: number): unknown {
  const truncated = (number: number): unknown =>
    Number.isFinite(number) ? whole(BigInt(Math.trunc(number))) : fallback;
  if (typeof value === 'boolean') return Number(value);
  if (isWhole(value)) return value;
  if (value instanceof PythonDecimal) return whole(value.toWhole());
  if (isFloat(value)) {
    if (!Number.isFinite(Number(value)) && !Number.isNaN(Number(value))) return fallback;
    return truncated(Number(value));
  }
  if (typeof defined(value) !== 'string') return fallback;
  const exact = integerOf(value as string, base);
  if (exact !== null) return exact;
  try {
    return truncated(Number(floatOf(value)));
  } catch (error) {
    if (error instanceof OverLimit) throw error;
    return fallback;
  }
}

export function round(value: unknown, precision: number, method: string): unknown {
  if (!['common', 'ceil', 'floor'].includes(method)) throw new Error('method must be common, ceil or floor');
  if (value instanceof PythonDecimal && method === 'common') return value.rounded(precision);
  if (!isNumeric(defined(value))) throw new Error(`type ${typeName(value)} doesn't define __round__ method`);
  if (method !== 'common') {
    const power = binary('**', 10, precision);
    const moved = Number(binary('*', value, power));
    return binary('/', whole(BigInt(method === 'ceil' ? Math.ceil(moved) : Math.floor(moved))), power);
  }
  if (isFloat(value)) return float(roundFloat(Number(value), precision));
  const exact = BigInt(value as number);
  if (precision >= 0) return whole(exact);
  const size = exact < 0n ? -exact : exact;
  if (-precision > String(size).length) return 0;
  const unit = 10n ** BigInt(-precision);
  const rest = size % unit;
  let down = size - rest;
  if (2n * rest > unit || (2n * rest === unit && (down / unit) % 2n === 1n)) down += unit;
  return whole(exact < 0n ? -down : down);
}

export function truncated(value: string, length: number, kill: boolean, end: string, leeway: number): string {
  const [letters, tail] = [[...value], [...end]];
  if (length < tail.length) throw new Error(`expected length >= ${tail.length}, got ${length}`);
  if (letters.length <= length + leeway) return value;
  const head = letters.slice(0, length - tail.length).join('');
  if (kill) return head + end;
  const space = head.lastIndexOf(' ');
  return (space < 0 ? head : head.slice(0, space)) + end;
}

/** Lines are indented, the first and empty ones only if asked. */
export function indented(value: unknown, width: unknown, first: boolean, blank: boolean): string {
  const indention = typeof width === 'string' ? width : repeatedText(' ', wholeNumber(width, 'width'));
  const lines = splitLines(`${string(value)}\n`);
  requireText(indention.length * lines.length);
  const rest = lines.slice(1).map((line) => (blank || line !== '' ? indention + line : line));
  return (first ? indention : '') + joinedTexts([nth(lines, 0), ...rest], '\n');
}

/** As many lists as asked (`slice`), or lists of as many items (`batch`). */
export function batches(items: readonly unknown[], size: number, fill: unknown): unknown[][] {
  const found: unknown[][] = [];
  // Jinja looks for the size before each item: none has fewer items than none, so that all stand in one list.
  if (size === 0 && items.length > 0) found.push([]);
  const step = size > 0 ? size : items.length;
  for (let i = 0; i < items.length; i += step) found.push(items.slice(i, i + step));
  const last = found.at(-1);
  if (last && fill !== null && fill !== undefined && last.length < requireElements(size))
    return [...found.slice(0, -1), [...last, ...Array<unknown>(size - last.length).fill(fill)]];
  return found;
}

export function slices(items: readonly unknown[], count: number, fill: unknown): unknown[][] {
  if (count === 0) throw new Error('integer division or modulo by zero');
  requireRange('slice()', count);
  const [size, extra] = [Math.floor(items.length / count), items.length % count];
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    const part = items.slice(at, (at += size + (i < extra ? 1 : 0)));
    return fill !== null && fill !== undefined && i >= extra ? [...part, fill] : [...part];
  });
}

export function title(value: string): string {
  return value
    .split(/([-\s({[<]+)/)
    .map((part) => (part === '' ? '' : nth([...part], 0).toUpperCase() + lowered([...part].slice(1).join(''))))
    .join('');
}

export function fileSize(value: unknown, isBinary: boolean): string {
  const bytes = Number(floatOf(value));
  const base = isBinary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const letters = [...'kMGTPEZY'].map((letter) => (isBinary ? `${letter.toUpperCase()}iB` : `${letter}B`));
  const at = letters.findIndex((_, i) => bytes < base ** (i + 2));
  const i = at < 0 ? letters.length - 1 : at;
  return `${floatDigits((base * bytes) / base ** (i + 2), 'f', 1, false)} ${letters[i]}`;
}

/** Python's `urllib.parse.quote`. */
export function urlQuoted(value: unknown, query: boolean): string {
  const quotedText = text(value).replace(query ? /[^A-Za-z0-9_.~-]+/g : /[^A-Za-z0-9_.~/-]+/g, (run) => {
    const hex = Buffer.from(run, 'utf8').toString('hex').toUpperCase();
    requireText(hex.length);
    return hex.replace(/../g, '%$&');
  });
  return query ? quotedText.replaceAll('%20', '+') : quotedText;
}

export function urlEncoded(value: unknown): string {
  if (typeof value === 'string' || value instanceof Markup || isNumeric(value) || value === null)
    return urlQuoted(value, false);
  const pairs = value instanceof Dict ? value.entries() : iterate(value).map((pair) => iterate(pair));
  return pairs.map(([key, one]) => `${urlQuoted(key, true)}=${urlQuoted(one, true)}`).join('&');
}

export function withoutTags(value: string): string {
  if (/&[#\w]+;?/.test(value))
    throw new Error('the filter striptags would resolve HTML entities, which is not done here');
  let kept = '';
  let at = 0;
  for (let start = value.indexOf('<'); start >= 0; start = value.indexOf('<', at)) {
    const [open, close] = value.startsWith('<!--', start) ? ['<!--', '-->'] : ['<', '>'];
    const end = value.indexOf(close, start + open.length);
    if (end < 0) break;
    kept += value.slice(at, start);
    at = end + close.length;
  }
  return (kept + value.slice(at)).split(/\s+/).filter(Boolean).join(' ');
}
