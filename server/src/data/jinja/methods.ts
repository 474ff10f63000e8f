/**
 * String methods, list methods and filters that `@huggingface/jinja` lacks, or has with other results than Python. To add one, add a
 * row; it gets plain JavaScript values and gives one back.
 */
import { equal, isRecord, pythonText, representation, toValue } from './values.ts';

type Method = (self: string, ...args: unknown[]) => unknown;

/** String methods that the library lacks, or has with other results than Python's. */
export const stringMethods: Record<string, Method> = {
  find: (self, part) => points(self, self.indexOf(String(part))),
  rfind: (self, part) => points(self, self.lastIndexOf(String(part))),
  index: (self, part) => found(points(self, self.indexOf(String(part))), part),
  count: (self, part) => self.split(String(part)).length - 1,
  strip: (self, set) => stripped(stripped(self, set, 'left'), set, 'right'),
  lstrip: (self, set) => stripped(self, set, 'left'),
  rstrip: (self, set) => stripped(self, set, 'right'),
  capitalize: (self) => capitalized(self),
  title: (self) => self.replace(/\p{L}+/gu, capitalized),
  join: (self, items) => (items as unknown[]).map(String).join(self),
  removeprefix: (self, part) => (self.startsWith(String(part)) ? self.slice(String(part).length) : self),
  removesuffix: (self, part) =>
    part !== '' && self.endsWith(String(part)) ? self.slice(0, -String(part).length) : self,
  splitlines: (self) => (self === '' ? [] : self.replace(/(\r\n|\r|\n)$/, '').split(/\r\n|\r|\n/)),
  isdigit: (self) => /^\d+$/.test(self),
  isalpha: (self) => /^\p{L}+$/u.test(self),
  isupper: (self) => self !== self.toLowerCase() && self === self.toUpperCase(),
  islower: (self) => self !== self.toUpperCase() && self === self.toLowerCase(),
};

export const listMethods: Record<string, (self: unknown[], ...args: unknown[]) => unknown> = {
  index: (self, item) =>
    found(
      self.findIndex((other) => equal(other, item)),
      item,
    ),
  count: (self, item) => self.filter((other) => equal(other, item)).length,
};

/** Filters that the library lacks, or has with other results than Jinja's. `regex_replace` is the harness' own. */
export const filters: Record<string, (self: unknown, ...args: unknown[]) => unknown> = {
  regex_replace: (self, pattern, replacement = '', count = 0) => {
    let left = Number(count) === 0 ? Infinity : Number(count);
    return pythonText(self).replace(new RegExp(pythonText(pattern), 'gu'), (match: string, ...groups: unknown[]) => {
      left -= 1;
      // Python's \1 and \g<1>.
      const group = (_: string, n: string): string => (n === '0' ? match : pythonText(groups[Number(n) - 1] ?? ''));
      return left < 0 ? match : pythonText(replacement).replace(/\\(?:g<)?(\d+)>?/g, group);
    });
  },
  map: (self, filter, ...args) => elements(self).map((item) => named(pythonText(filter))(item, ...args)),
  list: (self) => (typeof self === 'string' ? [...self] : self),
  first: (self) => elements(self)[0],
  last: (self) => elements(self).at(-1),
  count: (self) => elements(self).length,
  length: (self) => elements(self).length,
  max: (self) => elements(self).reduce((a, b) => ((b as number) > (a as number) ? b : a)),
  min: (self) => elements(self).reduce((a, b) => ((b as number) < (a as number) ? b : a)),
  sum: (self) => elements(self).reduce<number>((a, b) => a + Number(b), 0),
  join: (self, separator = '') =>
    elements(self)
      .map((item) => pythonText(item))
      .join(String(separator)),
  string: (self) => pythonText(self),
  trim: (self, set) => stringMethods['strip'](pythonText(self), set),
  lower: (self) => pythonText(self).toLowerCase(),
  upper: (self) => pythonText(self).toUpperCase(),
  capitalize: (self) => capitalized(pythonText(self)),
  title: (self) => stringMethods['title'](pythonText(self)),
  int: (self, fallback = 0) => {
    const number =
      typeof self === 'string'
        ? /^\s*[-+]?\d[\d_]*(\.\d*)?\s*$/.test(self)
          ? Number(self.replaceAll('_', ''))
          : NaN
        : Number(self);
    return Number.isNaN(number) ? fallback : Math.trunc(number);
  },
};

function named(filter: string): (self: unknown, ...args: unknown[]) => unknown {
  if (!Object.hasOwn(filters, filter)) throw new Error(`map() knows no filter "${filter}"`);
  return filters[filter];
}

function elements(value: unknown): unknown[] {
  if (typeof value === 'string') return [...value];
  if (Array.isArray(value)) return value;
  if (isRecord(value)) return Object.keys(value);
  throw new Error(`a list or text is needed, not ${pythonText(value)}`);
}

/** An index in UTF-16 units as one in characters, which is what slices count. */
function points(self: string, index: number): number {
  return index < 0 ? index : [...self.slice(0, index)].length;
}

function found(index: number, wanted: unknown): number {
  if (index < 0) throw new Error(`${representation(toValue(wanted))} is not in it`);
  return index;
}

function stripped(self: string, set: unknown, side: 'left' | 'right'): string {
  if (set === undefined || set === null) return side === 'left' ? self.trimStart() : self.trimEnd();
  const chars = new Set(pythonText(set));
  const letters = [...self];
  while (letters.length > 0 && chars.has(side === 'left' ? letters[0] : letters.at(-1)!)) {
    if (side === 'left') letters.shift();
    else letters.pop();
  }
  return letters.join('');
}

/** Python's `capitalize`: the rest becomes lower case. */
function capitalized(self: string): string {
  const [first = '', ...rest] = self;
  return first.toUpperCase() + rest.join('').toLowerCase();
}
