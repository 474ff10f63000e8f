/**
 * The filters of Jinja 3.1, and `regex_replace` of lm-evaluation-harness. To add one, add a row: the names of its
 * parameters, and what it makes of the value. `refusedFilters` are Jinja's that are not run here.
 */
import { PythonValue } from './pythonValue.ts';
import { float, isFloat } from './numbers.ts';
import {
  batches,
  escaped,
  fileSize,
  indented,
  int,
  round,
  slices,
  string,
  title,
  truncated,
  urlEncoded,
  withoutTags,
} from './filterForms.ts';
import { htmlJson } from './json.ts';
import { OverLimit, joinedTexts } from './limits.ts';
import { floatOf, methodOf } from './methods.ts';
import {
  Blank,
  Dict,
  Lazy,
  Markup,
  Tuple,
  Undefined,
  defined,
  hash,
  isNumeric,
  typeName,
  type Arguments,
} from './objects.ts';
import { binary, compare, item, iterate, lengthOf, sequence, sorted, truth, wholeNumber } from './operators.ts';
import { percentFormat } from './percent.ts';
import { regexReplace } from './regex.ts';
import { capitalized, centred, lowered, replaced, stripped } from './stringMethods.ts';
import { quoted, representation, text } from './text.ts';
import { lookup } from '../../text/lookup.ts';

/** What filters that apply other filters and tests need. */
export interface Context {
  filter(name: string, value: unknown, args: Arguments): unknown;
  /** What a look-up gives that finds nothing. */
  missing(message: string): Undefined;
  test(name: string, value: unknown, args: Arguments): boolean;
}

export interface Filter {
  /** Parameters behind the value; absent for a filter that takes whatever it gets. */
  names?: readonly string[];
  call(value: unknown, args: readonly unknown[], context: Context, all: Arguments): unknown;
}

const withNames = (names: string, call: Filter['call']): Filter => ({
  names: names === '' ? [] : names.split(' '),
  call,
});

export const refusedFilters: Readonly<Record<string, string>> = {
  random: 'it gives another text at every reading',
  urlize: 'it makes HTML links',
  xmlattr: 'it makes HTML attributes',
  pprint: 'it breaks lines by a rule of its own; use string or tojson',
  wordwrap: 'break the lines in the data',
};

/** `attribute`: "a.b.0", a number or nothing. */
function attributeOf(context: Context, value: unknown, attribute: unknown, missing?: unknown): unknown {
  if (attribute === null || attribute === undefined) return value;
  const parts =
    typeof attribute === 'string'
      ? attribute.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      : [attribute];
  let current = value;
  for (const part of parts) {
    let next = current instanceof PythonValue ? current.part(part) : item(defined(current), part);
    if (next === undefined && typeof part === 'string') next = methodOf(current, part) ?? undefined;
    current =
      next ??
      (next === null
        ? null
        : (missing ?? context.missing(`there is no ${representation(part)} in ${typeName(current)}`)));
  }
  return current;
}

const folded = (value: unknown): unknown =>
  typeof value === 'string' ? lowered(value) : value instanceof Markup ? lowered(value.text) : value;

function keyOf(context: Context, attribute: unknown, caseSensitive: unknown): (value: unknown) => unknown {
  return (value) => {
    const key = attributeOf(context, value, attribute);
    return truth(caseSensitive ?? false) ? key : folded(key);
  };
}

function extreme(sign: number): Filter['call'] {
  return (value, [caseSensitive, attribute], context) => {
    const key = keyOf(context, attribute, caseSensitive);
    const items = iterate(value);
    if (items.length === 0) return context.missing('No aggregated item, sequence was empty.');
    return items.reduce((best, other) => (sign * compare(key(other), key(best)) > 0 ? other : best));
  };
}

/** `select`, `reject`, `selectattr`, `rejectattr` */
function chosen(keep: boolean, byAttribute: boolean): Filter {
  return {
    call(value, _, context, { positional, named }) {
      if (!truth(value)) return new Lazy([]);
      const [attribute, rest] = byAttribute ? [positional[0], positional.slice(1)] : [undefined, positional];
      if (byAttribute && attribute === undefined) throw new Error('Missing parameter for attribute name');
      const [name, ...args] = rest;
      const passes = (one: unknown): boolean => {
        const subject = attributeOf(context, one, attribute);
        return name === undefined ? truth(subject) : context.test(string(name), subject, { positional: args, named });
      };
      return new Lazy(iterate(value).filter((one) => passes(one) === keep));
    },
  };
}

function map(value: unknown, context: Context, { positional, named }: Arguments): Lazy {
  if (!truth(value)) return new Lazy([]);
  const items = iterate(value);
  if (positional.length === 0 && named.has('attribute')) {
    const missing = named.get('default') ?? undefined;
    return new Lazy(items.map((one) => attributeOf(context, one, named.get('attribute'), missing)));
  }
  if (positional.length === 0) throw new Error('map requires a filter argument');
  const [name, ...args] = positional;
  return new Lazy(items.map((one) => context.filter(string(name), one, { positional: args, named })));
}

function grouped(
  context: Context,
  value: unknown,
  attribute: unknown,
  missing: unknown,
  caseSensitive: unknown,
): unknown[] {
  const real = (one: unknown): unknown => attributeOf(context, one, attribute, missing ?? undefined);
  const key = (one: unknown): unknown => (truth(caseSensitive ?? false) ? real(one) : folded(real(one)));
  const groups: { key: unknown; items: unknown[] }[] = [];
  for (const one of sorted(iterate(value), key, false)) {
    const last = groups.at(-1);
    if (last && compare(last.key, key(one)) === 0) last.items.push(one);
    else groups.push({ key: key(one), items: [one] });
  }
  return groups.map(
    ({ key: folded, items }) => new Group(truth(caseSensitive ?? false) ? folded : real(items[0]), items),
  );
}

/** What `groupby` gives: a pair whose parts have names. */
export class Group extends Tuple {
  readonly grouper: unknown;
  readonly list: unknown[];
  constructor(grouper: unknown, list: unknown[]) {
    super([grouper, list]);
    this.grouper = grouper;
    this.list = list;
  }
}

const count: Filter = withNames('', (value) => lengthOf(value));
const escape: Filter = withNames('', (value) => (value instanceof Markup ? value : new Markup(escaped(text(value)))));
const missing: Filter = withNames('default_value boolean', (value, [fallback = '', boolean = false]) =>
  value instanceof Undefined || (truth(boolean) && !truth(value)) ? fallback : value,
);

export const filters: Readonly<Record<string, Filter>> = {
  abs: withNames('', (value) => {
    if (!isNumeric(defined(value))) throw new Error(`bad operand type for abs(): '${typeName(value)}'`);
    return isFloat(value)
      ? float(Math.abs(Number(value)))
      : compare(value, 0) < 0
        ? binary('*', value, -1)
        : binary('+', value, 0);
  }),
  attr: withNames('name', (value, [name], context) => {
    const method = methodOf(defined(value), string(name));
    return method ?? context.missing(`there is no ${string(name)} of ${typeName(value)}`);
  }),
  batch: withNames(
    'linecount fill_with',
    (value, [size, fill]) => new Lazy(batches(iterate(value), wholeNumber(size, 'linecount'), fill)),
  ),
  capitalize: withNames('', (value) => capitalized(text(value))),
  center: withNames('width', (value, [width = 80]) => centred(text(value), wholeNumber(width, 'width'))),
  count,
  d: missing,
  default: missing,
  dictsort: withNames('case_sensitive by reverse', (value, [caseSensitive = false, by = 'key', reverse = false]) => {
    if (!(value instanceof Dict)) throw new Error(`dictsort needs a mapping, not ${typeName(value)}`);
    if (by !== 'key' && by !== 'value') throw new Error('You can only sort by either "key" or "value"');
    const at = by === 'key' ? 0 : 1;
    const pairs = value.entries().map((pair) => new Tuple(pair));
    return sorted(
      pairs,
      (pair) => (truth(caseSensitive) ? (pair as Tuple).items[at] : folded((pair as Tuple).items[at])),
      truth(reverse),
    );
  }),
  e: escape,
  escape,
  filesizeformat: withNames('binary', (value, [isBinary = false]) => fileSize(value, truth(isBinary))),
  first: withNames('', (value, _, context) => {
    const items = iterate(value);
    return items.length > 0 ? items[0] : context.missing('No first item, sequence was empty.');
  }),
  float: withNames('default', (value, [fallback = float(0)]) => {
    try {
      return floatOf(defined(value));
    } catch (error) {
      if (value instanceof Undefined || error instanceof OverLimit) throw error;
      return fallback;
    }
  }),
  forceescape: withNames('', (value) => new Markup(escaped(text(value)))),
  format: {
    call(value, _, __, { positional, named }) {
      if (value instanceof Markup)
        throw new Error('format of what escape, safe and tojson give would escape its values');
      if (positional.length > 0 && named.size > 0)
        throw new Error("can't handle positional and keyword arguments at the same time");
      return percentFormat(text(value), named.size > 0 ? new Dict(named) : new Tuple(positional.map(defined)));
    },
  },
  groupby: withNames('attribute default case_sensitive', (value, [attribute, fallback, caseSensitive], context) =>
    grouped(context, value, attribute, fallback, caseSensitive),
  ),
  indent: withNames('width first blank', (value, [width = 4, first = false, blank = false]) =>
    indented(value, width, truth(first), truth(blank)),
  ),
  int: withNames('default base', (value, [fallback = 0, base = 10]) => int(value, fallback, wholeNumber(base, 'base'))),
  items: withNames('', (value) => {
    if (value instanceof Undefined) return new Lazy([]);
    if (!(value instanceof Dict)) throw new Error('Can only get item pairs from a mapping.');
    return new Lazy(value.entries().map((pair) => new Tuple(pair)));
  }),
  join: withNames('d attribute', (value, [separator = '', attribute], context) =>
    joinedTexts(
      iterate(value).map((one) => text(attributeOf(context, one, attribute))),
      text(separator),
    ),
  ),
  last: withNames('', (value, _, context) => {
    const items =
      value instanceof Blank
        ? []
        : value instanceof Dict
          ? value.keys()
          : value instanceof Lazy && value.label === ''
            ? value.items
            : sequence(value instanceof Markup ? value.text : defined(value));
    if (items === null) throw new Error(`'${typeName(value)}' object is not reversible: add |list`);
    return items.length > 0 ? items.at(-1) : context.missing('No last item, sequence was empty.');
  }),
  length: count,
  list: withNames('', (value) => [...iterate(value)]),
  lower: withNames('', (value) => lowered(text(value))),
  map: { call: (value, _, context, all) => map(value, context, all) },
  max: withNames('case_sensitive attribute', extreme(1)),
  min: withNames('case_sensitive attribute', extreme(-1)),
  regex_replace: withNames('pattern repl count', (value, [pattern, replacement, most = 0]) =>
    regexReplace(string(value), string(pattern), string(replacement), wholeNumber(most, 'count')),
  ),
  reject: chosen(false, false),
  rejectattr: chosen(false, true),
  replace: withNames('old new count', (value, [old, with_, most]) =>
    replaced(
      text(value),
      text(old),
      text(with_),
      most === undefined || most === null ? -1 : wholeNumber(most, 'count'),
    ),
  ),
  reverse: withNames('', (value) => {
    if (typeof value === 'string') return [...value].reverse().join('');
    const items = value instanceof Dict ? value.keys() : iterate(value);
    return new Lazy([...items].reverse(), Array.isArray(value) ? 'list_reverseiterator' : 'reversed');
  }),
  round: withNames('precision method', (value, [precision = 0, method = 'common']) =>
    round(value, wholeNumber(precision, 'precision'), string(method)),
  ),
  safe: withNames('', (value) => (value instanceof Markup ? value : new Markup(text(value)))),
  select: chosen(true, false),
  selectattr: chosen(true, true),
  slice: withNames(
    'slices fill_with',
    (value, [parts, fill]) => new Lazy(slices(iterate(value), wholeNumber(parts, 'slices'), fill)),
  ),
  sort: withNames('reverse case_sensitive attribute', (value, [reverse = false, caseSensitive, attribute], context) => {
    const several = typeof attribute === 'string' && attribute.includes(',') ? attribute.split(',') : [attribute];
    return sorted(
      iterate(value),
      (one) => several.map((part) => keyOf(context, part, caseSensitive)(one)),
      truth(reverse),
    );
  }),
  string: withNames('', (value) => (value instanceof Markup ? value : text(value))),
  striptags: withNames('', (value) => withoutTags(text(value))),
  sum: withNames('attribute start', (value, [attribute, start = 0], context) =>
    iterate(value).reduce((total, one) => binary('+', total, attributeOf(context, one, attribute)), start),
  ),
  title: withNames('', (value) => title(text(value))),
  tojson: withNames(
    'indent',
    (value, [indent]) =>
      new Markup(htmlJson(value, indent === undefined || indent === null ? null : wholeNumber(indent, 'indent'))),
  ),
  trim: withNames('chars', (value, [set]) => stripped(text(value), set, 'both')),
  truncate: withNames('length killwords end leeway', (value, [length = 255, kill = false, end = '...', leeway]) =>
    truncated(
      string(value),
      wholeNumber(length, 'length'),
      truth(kill),
      string(end),
      leeway === undefined || leeway === null ? 5 : wholeNumber(leeway, 'leeway'),
    ),
  ),
  unique: withNames('case_sensitive attribute', (value, [caseSensitive, attribute], context) => {
    const key = keyOf(context, attribute, caseSensitive);
    const seen = new Set<string>();
    return new Lazy(
      iterate(value).filter((one) => {
        const id = hash(key(one));
        return !seen.has(id) && seen.add(id);
      }),
    );
  }),
  upper: withNames('', (value) => text(value).toUpperCase()),
  urlencode: withNames('', (value) => urlEncoded(value)),
  wordcount: withNames('', (value) => (text(value).match(/[\p{L}\p{N}_]+/gu) ?? []).length),
};

/** @throws Error for an argument that the filter does not take */
export function applyFilter(
  table: Readonly<Record<string, Filter>>,
  name: string,
  value: unknown,
  args: Arguments,
  context: Context,
): unknown {
  const filter = lookup(table, name);
  if (!filter) throw new Error(`there is no filter ${quoted(name)}`);
  const { names } = filter;
  if (names === undefined) return filter.call(value, [], context, args);
  const values: unknown[] = [...args.positional];
  for (const [key, one] of args.named) {
    const at = names.indexOf(key);
    if (at < 0 || at < args.positional.length) throw new Error(`the filter ${name} takes no argument ${key} here`);
    values[at] = one;
  }
  if (values.length > names.length)
    throw new Error(`the filter ${name} takes at most ${names.length} arguments, ${values.length} are given`);
  return filter.call(value, values, context, args);
}
