/**
 * Methods of Python's list, dict, tuple, int and float, and the way to all methods. To add one, add a row, as in
 * `stringMethods.ts`.
 */
import { PythonDecimal } from './pythonDecimal.ts';
import { requireDigits, requireElements } from './limits.ts';
import { float, isFloat, isWhole } from './numbers.ts';
import {
  Blank,
  Callable,
  Dict,
  Lazy,
  Tuple,
  countRead,
  defined,
  isNumeric,
  typeName,
  type Arguments,
} from './objects.ts';
import { equal, iterate, sorted, wholeNumber } from './operators.ts';
import { m, range, stringMethods, stripped, type Method } from './stringMethods.ts';
import { quoted, representation } from './text.ts';
import { lookup } from '../../text/lookup.ts';
import { nth } from '../../lists/nth.ts';

function place(list: readonly unknown[], wanted: unknown, from: unknown = 0, to: unknown = list.length): number {
  const [start, end] = range(list.length, from, to);
  const at = list.findIndex((other, i) => i >= start && i < end && equal(other, wanted));
  if (at < 0) throw new Error(`${representation(wanted)} is not in list`);
  return at;
}

function extend(list: unknown[], more: readonly unknown[]): void {
  requireElements(list.length + more.length);
  for (const one of more) list.push(one);
}

export const listMethods: Record<string, Method<unknown[]>> = {
  append: m([1, 1], (list, [value]) => (list.push(value), null)),
  clear: m([0, 0], (list) => (list.splice(0), null)),
  copy: m([0, 0], (list) => [...list]),
  count: m([1, 1], (list, [value]) => list.filter((other) => equal(other, value)).length),
  extend: m([1, 1], (list, [more]) => (extend(list, [...iterate(more)]), null)),
  index: m([1, 3], (list, [value, from, to]) => place(list, value, from, to)),
  insert: m([2, 2], (list, [at, value]) => (list.splice(wholeNumber(at, 'an index'), 0, value), null)),
  pop: m([0, 1], (list, [at = -1]) => {
    const index = wholeNumber(at, 'an index');
    const removed = list.splice(index < 0 ? Math.max(0, index + list.length) : index, 1);
    if (removed.length === 0) throw new Error('pop index out of range');
    return removed[0];
  }),
  remove: m([1, 1], (list, [value]) => (list.splice(place(list, value), 1), null)),
  reverse: m([0, 0], (list) => (list.reverse(), null)),
  sort: m(
    [0, 0],
    (list, _, named) => {
      if (named.has('key')) throw new Error('sort() takes no key here: use the filter sort');
      list.splice(0, list.length, ...sorted(list, (value) => value, named.get('reverse') === true));
      return null;
    },
    [],
  ),
};

export const tupleMethods: Record<string, Method<Tuple>> = {
  count: m([1, 1], (tuple, [value]) => tuple.items.filter((other) => equal(other, value)).length),
  index: m([1, 3], (tuple, [value, from, to]) => place(tuple.items, value, from, to)),
};

export const dictMethods: Record<string, Method<Dict>> = {
  clear: m([0, 0], (dict) => (dict.keys().forEach((key) => dict.delete(key)), null)),
  copy: m([0, 0], (dict) => new Dict(dict.entries())),
  get: m([1, 2], (dict, [key, missing = null]) => (dict.has(key) ? dict.get(key) : missing)),
  items: m(
    [0, 0],
    (dict) =>
      new Lazy(
        dict.entries().map((pair) => new Tuple(pair)),
        'dict_items',
        '',
      ),
  ),
  keys: m([0, 0], (dict) => new Lazy(dict.keys(), 'dict_keys', '')),
  pop: m([1, 2], (dict, [key, ...missing]) => {
    if (!dict.has(key) && missing.length === 0) throw new Error(`there is no key ${representation(key)}`);
    const value = dict.has(key) ? dict.get(key) : missing[0];
    dict.delete(key);
    return value;
  }),
  popitem: m([0, 0], (dict) => {
    const last = dict.entries().at(-1);
    if (!last) throw new Error('popitem(): dictionary is empty');
    dict.delete(last[0]);
    return new Tuple(last);
  }),
  setdefault: m([1, 2], (dict, [key, missing = null]) => {
    if (!dict.has(key)) dict.set(key, missing);
    return dict.get(key);
  }),
  update: m([0, 1], (dict, [more], named) => {
    const pairs =
      more === undefined
        ? []
        : more instanceof Dict
          ? more.entries()
          : iterate(more).map((pair) => iterate(pair) as [unknown, unknown]);
    for (const [key, value] of [...pairs, ...named]) dict.set(key, value);
    return null;
  }),
  values: m([0, 0], (dict) => new Lazy(dict.values(), 'dict_values', '')),
};

const floatMethods: Record<string, Method<unknown>> = {
  is_integer: m([0, 0], (value) => Number.isInteger(Number(value))),
};

const intMethods: Record<string, Method<unknown>> = {
  bit_length: m([0, 0], (value) => {
    const size = BigInt(value as number);
    return size === 0n ? 0 : (size < 0n ? -size : size).toString(2).length;
  }),
};

function tableOf(value: unknown): Record<string, Method<never>> {
  if (typeof value === 'string') return stringMethods;
  if (Array.isArray(value)) return listMethods;
  if (value instanceof Dict) return dictMethods;
  if (value instanceof Tuple) return tupleMethods;
  if (isFloat(value)) return floatMethods;
  return isWhole(value) ? intMethods : {};
}

/** Methods that Python has and templates do not get. */
const withheld: Record<string, readonly string[]> = {
  str: ['encode', 'maketrans', 'translate'],
  dict: ['fromkeys'],
  int: [
    'as_integer_ratio',
    'bit_count',
    'conjugate',
    'denominator',
    'from_bytes',
    'imag',
    'numerator',
    'real',
    'to_bytes',
  ],
  float: ['as_integer_ratio', 'conjugate', 'fromhex', 'hex', 'imag', 'real'],
};

/** The method of a value, or null. @throws Error for one that Python has and is not read here */
export function methodOf(value: unknown, name: string): Callable | null {
  const table = tableOf(value);
  if (!Object.hasOwn(table, name)) {
    if (isNumeric(value) || typeof value === 'string' || value instanceof Dict) {
      const type = typeName(value);
      if (lookup(withheld, type)?.includes(name))
        throw new Error(
          `the method ${name}() of ${type} is not read; methods that are: ${Object.keys(table).join(', ')}`,
        );
    }
    return null;
  }
  const method = lookup(table, name);
  if (!method) return null;
  return new Callable(name, (args) => {
    countRead(value);
    return method.call(value as never, placed(name, method, args), args.named);
  });
}

/** Methods that look at no more of an argument than its hash, or loop over it. */
const takesUndefined = new Set(['get', 'join']);

/** Arguments by name to their places. */
function placed(name: string, { names, takes }: Method<never>, { positional, named }: Arguments): unknown[] {
  const args = positional.map((one) => (one instanceof Blank && takesUndefined.has(name) ? one : defined(one)));
  if (name !== 'format' && name !== 'update' && name !== 'sort') {
    for (const [key, value] of named) {
      const at = names?.indexOf(key) ?? -1;
      if (at < 0) throw new Error(`${name}() takes no argument ${key}`);
      args[at] = defined(value);
    }
  }
  if (args.length < takes[0] || args.length > takes[1])
    throw new Error(
      `${name}() takes ${takes[0] === takes[1] ? takes[0] : `${takes[0]} to ${takes[1]}`} arguments, ${args.length} are given`,
    );
  return args;
}

/** @throws Error */
export function floatOf(value: unknown): unknown {
  if (isNumeric(value)) return float(Number(value));
  if (value instanceof PythonDecimal) return float(value.toFloat());
  if (typeof value !== 'string')
    throw new Error(`float() argument must be a string or a real number, not '${typeName(value)}'`);
  const source = stripped(value, null, 'both');
  requireDigits(source.length);
  if (/^[-+]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)([eE][-+]?\d+(_\d+)*)?$/.test(source))
    return float(Number(source.replaceAll('_', '')));
  const word = /^([-+]?)(inf|infinity|nan)$/i.exec(source);
  if (!word) throw new Error(`could not convert string to float: ${quoted(value)}`);
  return /nan/i.test(nth(word, 2)) ? NaN : word[1] === '-' ? -Infinity : Infinity;
}
