/**
 * Methods of Python's str. To add one, add a row: it gets the text and the arguments by position (`names` says which
 * may be given by name) and gives a value back.
 */
import { joinedTexts, repeatedText, requireText } from './limits.ts';
import { Dict, Tuple, defined, typeName } from './objects.ts';
import { iterate, wholeNumber } from './operators.ts';
import { strFormat } from './strFormat.ts';
import { isPrintable, text } from './text.ts';
import { nth } from '../../lists/nth.ts';

export interface Method<T> {
  call: (self: T, args: unknown[], named: Map<string, unknown>) => unknown;
  /** Names of the arguments, where Python takes them by name. */
  names?: string[];
  /** Fewest and most arguments. */
  takes: [number, number];
}

const ANY = Infinity;
export const m = <T>(takes: [number, number], call: Method<T>['call'], names?: string[]): Method<T> => ({
  call,
  takes,
  ...(names ? { names } : {}),
});

/** The text of an argument. @throws Error where it is none */
function str(value: unknown): string {
  if (typeof defined(value) === 'string') return value as string;
  throw new Error(`must be str, not ${typeName(value)}`);
}

const points = (value: string): string[] => [...value];
const all = (value: string, rule: (char: string) => boolean): boolean => value !== '' && points(value).every(rule);
const upper = (char: string): boolean => /\p{Uppercase}/u.test(char);
const lower = (char: string): boolean => /\p{Lowercase}/u.test(char);
const cased = (char: string): boolean => upper(char) || lower(char) || /\p{Lt}/u.test(char);
const decimal = (char: string): boolean => /\p{Nd}/u.test(char);
const digit = (char: string): boolean =>
  decimal(char) ||
  /[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490]/u.test(char);
const numeric = (char: string): boolean => /\p{N}/u.test(char);
const letter = (char: string): boolean => /\p{L}/u.test(char);
/** What Python strips and splits at: not the byte order mark, but the separators 0x1c to 0x1f. */
const SPACE = '\\t\\n\\v\\f\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const spaces = new RegExp(`^[${SPACE}]+$`, 'u');
const LINE = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/; // eslint-disable-line no-control-regex -- as Python

export function capitalized(value: string): string {
  const [first = ''] = value;
  return titleCase(first) + value.toLowerCase().slice(first.toLowerCase().length);
}

/** Title case of one character: ligatures become two letters, of which the first is large. */
function titleCase(char: string): string {
  const digraph = ['Ǆǅǆ', 'Ǉǈǉ', 'Ǌǋǌ', 'Ǳǲǳ'].find((three) => three.includes(char));
  if (digraph && char !== '') return digraph.charAt(1);
  if (/[\u10d0-\u10ff]/.test(char)) return char;
  const [first = '', ...rest] = char.toUpperCase();
  return first + rest.join('').toLowerCase();
}

/** Python's `lower`; the final sigma follows its word, as in JavaScript. */
export function lowered(value: string): string {
  return value.toLowerCase();
}

export function stripped(value: string, set: unknown, side: 'left' | 'right' | 'both'): string {
  const chars = set === undefined || set === null ? null : new Set(points(str(set)));
  const drop = (char: string): boolean => (chars ? chars.has(char) : spaces.test(char));
  const letters = points(value);
  let [from, to] = [0, letters.length];
  if (side !== 'right') while (from < to && drop(nth(letters, from))) from += 1;
  if (side !== 'left') while (to > from && drop(nth(letters, to - 1))) to -= 1;
  return letters.slice(from, to).join('');
}

export function splitLines(value: string, keepEnds = false): string[] {
  const lines: string[] = [];
  let rest = value;
  while (rest !== '') {
    const found = LINE.exec(rest);
    if (!found) return [...lines, rest];
    lines.push(rest.slice(0, found.index + (keepEnds ? found[0].length : 0)));
    rest = rest.slice(found.index + found[0].length);
  }
  return lines;
}

function split(value: string, separator: unknown, limit: number, fromRight: boolean): string[] {
  const most = limit < 0 ? Infinity : limit;
  if (separator === undefined || separator === null) return splitSpaces(value, most, fromRight);
  const mark = str(separator);
  if (mark === '') throw new Error('empty separator');
  const parts = value.split(mark);
  if (parts.length - 1 <= most) return parts;
  return fromRight
    ? [parts.slice(0, parts.length - most).join(mark), ...parts.slice(parts.length - most)]
    : [...parts.slice(0, most), parts.slice(most).join(mark)];
}

function splitSpaces(value: string, most: number, fromRight: boolean): string[] {
  const words = [...value.matchAll(new RegExp(`[^${SPACE}]+`, 'gu'))];
  if (words.length - 1 <= most) return words.map(([word]) => word);
  if (fromRight) {
    const cut = nth(words, words.length - most - 1);
    return [value.slice(0, cut.index + cut[0].length), ...words.slice(words.length - most).map(([word]) => word)];
  }
  // What is left keeps its outer white space.
  return [...words.slice(0, most).map(([word]) => word), value.slice(nth(words, most).index)];
}

/** Searches characters, as Python counts them. @returns index or -1 */
function find(value: string, args: unknown[], last: boolean): number {
  const [part, from, to] = args;
  const letters = points(value);
  const [start, end] = range(letters.length, from, to);
  const within = letters.slice(start, Math.max(start, end)).join('');
  if (start > letters.length) return -1;
  const at = last ? within.lastIndexOf(str(part)) : within.indexOf(str(part));
  return at < 0 ? -1 : start + points(within.slice(0, at)).length;
}

export function range(length: number, from: unknown, to: unknown): [number, number] {
  const bound = (value: unknown, missing: number): number => {
    if (value === undefined || value === null) return missing;
    const at = wholeNumber(value, 'an index');
    return at < 0 ? Math.max(0, at + length) : at;
  };
  return [bound(from, 0), Math.min(length, bound(to, length))];
}

function found(index: number): number {
  if (index < 0) throw new Error('substring not found');
  return index;
}

/** @throws Error as Python where the filling is not one character */
function filled(fill: string, count: number): string {
  if (points(fill).length !== 1) throw new Error('The fill character must be exactly one character long');
  return repeatedText(fill, count);
}

function aligned(value: string, args: unknown[], side: 'left' | 'right'): string {
  const [width, fill = ' '] = args;
  const filling = filled(str(fill), requireText(wholeNumber(width, 'the width')) - points(value).length);
  return side === 'left' ? value + filling : filling + value;
}

/** CPython puts the odd space left of a text of odd width. */
export function centred(value: string, width: number, fill = ' '): string {
  const length = points(value).length;
  const missing = Math.max(0, requireText(width) - length);
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return filled(fill, left) + value + filled(fill, missing - left);
}

function affix(value: string, part: unknown, rule: (text: string, part: string) => boolean): boolean {
  const parts = part instanceof Tuple ? part.items : [part];
  return parts.some((one) => rule(value, str(one)));
}

function withAffix(value: string, args: unknown[], rule: (text: string, part: string) => boolean): boolean {
  const [part, from, to] = args;
  const letters = points(value);
  const [start, end] = range(letters.length, from, to);
  return start <= letters.length && affix(letters.slice(start, Math.max(start, end)).join(''), part, rule);
}

function titled(value: string): string {
  let inWord = false;
  return points(value)
    .map((char, i, chars) => {
      // A sigma at the end of a word has a form of its own.
      const final = char === 'Σ' && !(i + 1 < chars.length && cased(nth(chars, i + 1)));
      const shown = inWord ? (final ? 'ς' : char.toLowerCase()) : titleCase(char);
      inWord = cased(char);
      return shown;
    })
    .join('');
}

function isTitle(value: string): boolean {
  let [any, inWord] = [false, false];
  for (const char of value) {
    if (upper(char) ? inWord : lower(char) && !inWord) return false;
    inWord = cased(char);
    any ||= inWord;
  }
  return any;
}

export function replaced(value: string, old: string, with_: string, count: number): string {
  const most = count < 0 ? Infinity : count;
  if (old === '') {
    const letters = points(value);
    requireText(value.length + with_.length * Math.min(most, letters.length + 1));
    return letters.map((char, i) => (i < most ? with_ + char : char)).join('') + (most > letters.length ? with_ : '');
  }
  const parts = value.split(old);
  const cut = Math.min(most, parts.length - 1);
  return joinedTexts([joinedTexts(parts.slice(0, cut + 1), with_), ...parts.slice(cut + 1)], old);
}

export const stringMethods: Record<string, Method<string>> = {
  capitalize: m([0, 0], (s) => capitalized(s)),
  casefold: m([0, 0], (s) => s.toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ')),
  center: m([1, 2], (s, [width, fill = ' ']) => centred(s, wholeNumber(width, 'the width'), str(fill))),
  count: m([1, 3], (s, [part, from, to]) => {
    const letters = points(s);
    const [start, end] = range(letters.length, from, to);
    const within = letters.slice(start, Math.max(start, end)).join('');
    return str(part) === '' ? points(within).length + 1 : within.split(str(part)).length - 1;
  }),
  endswith: m([1, 3], (s, args) => withAffix(s, args, (a, b) => a.endsWith(b))),
  expandtabs: m(
    [0, 1],
    (s, [size = 8]) => {
      let column = 0;
      let made = 0;
      return points(s)
        .map((char) => {
          if (char === '\n' || char === '\r') column = -1;
          const width = char === '\t' ? (Number(size) > 0 ? Number(size) - (column % Number(size)) : 0) : 1;
          column += width;
          made = requireText(made + width);
          return char === '\t' ? ' '.repeat(width) : char;
        })
        .join('');
    },
    ['tabsize'],
  ),
  find: m([1, 3], (s, args) => find(s, args, false)),
  format: m([0, ANY], (s, args, named) => strFormat(s, args, named)),
  format_map: m([1, 1], (s, [map]) => {
    if (!(map instanceof Dict)) throw new Error('format_map() needs a mapping');
    return strFormat(s, [], new Map(map.entries().map(([key, value]) => [text(key), value])));
  }),
  index: m([1, 3], (s, args) => found(find(s, args, false))),
  isalnum: m([0, 0], (s) => all(s, (char) => letter(char) || digit(char) || numeric(char))),
  isalpha: m([0, 0], (s) => all(s, letter)),
  isascii: m([0, 0], (s) => points(s).every((char) => char.codePointAt(0)! < 128)),
  isdecimal: m([0, 0], (s) => all(s, decimal)),
  isdigit: m([0, 0], (s) => all(s, digit)),
  isidentifier: m([0, 0], (s) => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(s)),
  islower: m([0, 0], (s) => points(s).some(lower) && !points(s).some((char) => upper(char) || /\p{Lt}/u.test(char))),
  isnumeric: m([0, 0], (s) => all(s, numeric)),
  isprintable: m([0, 0], (s) => points(s).every(isPrintable)),
  isspace: m([0, 0], (s) => spaces.test(s)),
  istitle: m([0, 0], (s) => isTitle(s)),
  isupper: m([0, 0], (s) => points(s).some(upper) && !points(s).some((char) => lower(char) || /\p{Lt}/u.test(char))),
  join: m([1, 1], (s, [items]) => joinedTexts(iterate(items).map(str), s)),
  ljust: m([1, 2], (s, args) => aligned(s, args, 'left')),
  lower: m([0, 0], (s) => lowered(s)),
  lstrip: m([0, 1], (s, [set]) => stripped(s, set, 'left')),
  partition: m([1, 1], (s, [mark]) => {
    const at = s.indexOf(nonEmpty(mark));
    return new Tuple(at < 0 ? [s, '', ''] : [s.slice(0, at), mark, s.slice(at + str(mark).length)]);
  }),
  removeprefix: m([1, 1], (s, [part]) => (s.startsWith(str(part)) ? s.slice(str(part).length) : s)),
  removesuffix: m([1, 1], (s, [part]) => (part !== '' && s.endsWith(str(part)) ? s.slice(0, -str(part).length) : s)),
  replace: m([2, 3], (s, [old, with_, count = -1]) => replaced(s, str(old), str(with_), wholeNumber(count, 'count')), [
    '',
    '',
    'count',
  ]),
  rfind: m([1, 3], (s, args) => find(s, args, true)),
  rindex: m([1, 3], (s, args) => found(find(s, args, true))),
  rjust: m([1, 2], (s, args) => aligned(s, args, 'right')),
  rpartition: m([1, 1], (s, [mark]) => {
    const at = s.lastIndexOf(nonEmpty(mark));
    return new Tuple(at < 0 ? ['', '', s] : [s.slice(0, at), mark, s.slice(at + str(mark).length)]);
  }),
  rsplit: m([0, 2], (s, [mark, most = -1]) => split(s, mark, wholeNumber(most, 'maxsplit'), true), ['sep', 'maxsplit']),
  rstrip: m([0, 1], (s, [set]) => stripped(s, set, 'right')),
  split: m([0, 2], (s, [mark, most = -1]) => split(s, mark, wholeNumber(most, 'maxsplit'), false), ['sep', 'maxsplit']),
  splitlines: m([0, 1], (s, [keep = false]) => splitLines(s, keep === true), ['keepends']),
  startswith: m([1, 3], (s, args) => withAffix(s, args, (a, b) => a.startsWith(b))),
  strip: m([0, 1], (s, [set]) => stripped(s, set, 'both')),
  swapcase: m([0, 0], (s) =>
    points(s)
      .map((char) => (upper(char) ? char.toLowerCase() : char.toUpperCase()))
      .join(''),
  ),
  title: m([0, 0], (s) => titled(s)),
  upper: m([0, 0], (s) => s.toUpperCase()),
  zfill: m([1, 1], (s, [width]) => {
    const sign = /^[-+]/.exec(s)?.[0] ?? '';
    return sign + aligned(s.slice(sign.length), [wholeNumber(width, 'the width') - sign.length, '0'], 'right');
  }),
};

function nonEmpty(mark: unknown): string {
  if (str(mark) === '') throw new Error('empty separator');
  return str(mark);
}
