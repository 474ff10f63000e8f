/** Python's operators: arithmetic with exact whole numbers, comparison, membership, subscripts and slices. */
import { countElements, countPieces, digitsOf, repeatedText, requireDigits, requireElements } from './limits.ts';
import { float, isFloat, isWhole, whole } from './numbers.ts';
import type { WholeFloat } from './numbers.ts';
import {
  Attributes,
  Blank,
  Callable,
  Dict,
  Lazy,
  Markup,
  Range,
  Tuple,
  defined,
  isNumeric,
  typeName,
} from './objects.ts';
import { PythonDecimal, decimalOperation } from './pythonDecimal.ts';
import { PythonValue } from './pythonValue.ts';
import { percentFormat } from './percent.ts';
import { representation } from './text.ts';
import { lookup } from '../../text/lookup.ts';

type Operand = number | bigint | boolean | WholeFloat;

const big = (value: unknown): bigint => BigInt(value as number | bigint | boolean);
const isInteger = (value: unknown): boolean => typeof value === 'boolean' || isWhole(value);

interface Arithmetic {
  integers: (a: bigint, b: bigint) => unknown;
  floats: (a: number, b: number) => number;
}

const floorMod = (a: bigint, b: bigint): bigint => {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
};
const notZero = (b: bigint | number, name: string): void => {
  if (Number(b) === 0) throw new Error(name);
};

/** Of numbers that are longer than any of a row it costs what its digits cost. */
function product(a: bigint, b: bigint): bigint {
  if (!Number.isFinite(Number(a) * Number(b))) countElements(requireDigits(digitsOf(a) + digitsOf(b)));
  return a * b;
}

const arithmetic: Record<string, Arithmetic> = {
  '+': { integers: (a, b) => whole(a + b), floats: (a, b) => a + b },
  '-': { integers: (a, b) => whole(a - b), floats: (a, b) => a - b },
  '*': { integers: (a, b) => whole(product(a, b)), floats: (a, b) => a * b },
  '/': {
    integers: (a, b) => (notZero(b, 'division by zero'), float(Number(a) / Number(b))),
    floats: (a, b) => (notZero(b, 'float division by zero'), a / b),
  },
  '//': {
    integers: (a, b) => (notZero(b, 'integer division or modulo by zero'), whole((a - floorMod(a, b)) / b)),
    floats: (a, b) => (notZero(b, 'float floor division by zero'), Math.floor(a / b)),
  },
  '%': {
    integers: (a, b) => (notZero(b, 'integer modulo by zero'), whole(floorMod(a, b))),
    floats(a, b) {
      notZero(b, 'float modulo');
      const rest = a % b;
      return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
    },
  },
  '**': {
    integers(a, b) {
      if (b < 0n) return float(Number(a) ** Number(b));
      if (a * a > 1n) requireDigits(digitsOf(a) * Number(b));
      return whole(a ** b);
    },
    floats(a, b) {
      if (a < 0 && !Number.isInteger(b)) throw new Error('a power with a complex value');
      return a ** b;
    },
  },
};

export function binary(operator: string, left: unknown, right: unknown): unknown {
  defined(left);
  defined(right);
  if (left instanceof Markup || right instanceof Markup)
    throw new Error(`"${operator}" would escape text: what escape, safe and tojson give is joined by ~`);
  if (operator === '%' && typeof left === 'string') return percentFormat(left, right);
  if (isNumeric(left) && isNumeric(right)) {
    const { integers, floats } = lookup(arithmetic, operator)!;
    if (isInteger(left) && isInteger(right)) return integers(big(left), big(right));
    return float(floats(Number(left), Number(right)));
  }
  if (left instanceof PythonDecimal || right instanceof PythonDecimal) {
    const [a, b] = [decimalOf(left), decimalOf(right)];
    if (a !== null && b !== null) return decimalOperation(operator, a, b);
  }
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') {
      countElements(requireElements(left.length + right.length));
      return left + right;
    }
    if (Array.isArray(left) && Array.isArray(right)) return concatenated(left, right);
    if (left instanceof Tuple && right instanceof Tuple) return new Tuple(concatenated(left.items, right.items));
  }
  if (operator === '*') {
    if (isInteger(right)) return repeated(left, right as Operand);
    if (isInteger(left)) return repeated(right, left as Operand);
  }
  if (operator === '|' && left instanceof Dict && right instanceof Dict)
    return new Dict([...left.entries(), ...right.entries()]);
  const types = `'${typeName(left)}' and '${typeName(right)}'`;
  if (operator === '+' && typeof left === 'string')
    throw new Error(`can only concatenate str (not "${typeName(right)}") to str`);
  throw new Error(`unsupported operand type(s) for ${operator}: ${types}`);
}

/** A decimal as it is, a whole number as one; null for others, floats too. */
function decimalOf(value: unknown): PythonDecimal | null {
  if (value instanceof PythonDecimal) return value;
  return isInteger(value) ? new PythonDecimal(big(value), 0) : null;
}

function concatenated(left: readonly unknown[], right: readonly unknown[]): unknown[] {
  countElements(requireElements(left.length + right.length));
  return [...left, ...right];
}

function repeated(value: unknown, times: Operand): unknown {
  const count = Math.max(0, Number(times));
  if (typeof value === 'string') {
    countElements(requireElements(value.length * count));
    return repeatedText(value, count);
  }
  const items = Array.isArray(value) ? (value as unknown[]) : value instanceof Tuple ? value.items : null;
  if (items === null) throw new Error(`unsupported operand type(s) for *: '${typeName(value)}' and 'int'`);
  countElements(requireElements(items.length * count));
  const list = Array<unknown>(items.length * count);
  for (let i = 0; i < list.length; i++) list[i] = items[i % items.length];
  return value instanceof Tuple ? new Tuple(list) : list;
}

export function negated(value: unknown): unknown {
  defined(value);
  if (isInteger(value)) return whole(-big(value));
  if (isFloat(value)) return float(-Number(value));
  if (value instanceof PythonDecimal) return value.negated();
  throw new Error(`bad operand type for unary -: '${typeName(value)}'`);
}

export function truth(value: unknown): boolean {
  if (value instanceof Blank) return false;
  defined(value);
  if (value === null || value === false || value === '') return false;
  if (isNumeric(value)) return Number(value) !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Tuple || value instanceof Range) return value.items.length > 0;
  if (value instanceof Lazy && value.label === '') return value.items.length > 0;
  if (value instanceof Dict) return value.size > 0;
  if (value instanceof Markup) return value.text !== '';
  if (value instanceof PythonValue) return value.truth();
  return true;
}

export function equal(left: unknown, right: unknown): boolean {
  countElements(1);
  if (typeof left === 'number' && typeof right === 'number') return left === right;
  if (left instanceof Blank || right instanceof Blank) return left instanceof Blank && right instanceof Blank;
  const [a, b] = [plain(defined(left)), plain(defined(right))];
  if (isNumeric(a) && isNumeric(b)) return sameNumber(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b);
  if (a instanceof Tuple && b instanceof Tuple) return sameItems(a.items, b.items);
  if (a instanceof Range && b instanceof Range) return sameItems(a.items, b.items);
  if (a instanceof Dict && b instanceof Dict)
    return a.size === b.size && a.entries().every(([key, value]) => b.has(key) && equal(value, b.get(key)));
  const order = ofPython(a, b);
  if (order !== null) return order === 0;
  return a === b;
}

function sameNumber(a: Operand, b: Operand): boolean {
  if (isInteger(a) && isInteger(b)) return big(a) === big(b);
  return compareNumbers(a, b) === 0;
}

/** Exact, even between a float and a whole number beyond 2^53. NaN is neither. */
function compareNumbers(a: Operand, b: Operand): number {
  const number = (value: Operand) => (typeof value === 'bigint' ? value : Number(value));
  const [x, y] = [number(a), number(b)];
  return x < y ? -1 : x > y ? 1 : x >= y ? 0 : NaN;
}

/** Order of values with a class of Python's, undefined where they have none; null for others. */
function ofPython(a: unknown, b: unknown): number | undefined | null {
  if (a instanceof PythonDecimal && isFloat(b)) return compareFloat(a, Number(b));
  if (isFloat(a) && b instanceof PythonDecimal) return -compareFloat(b, Number(a));
  const [left, right] = [decimalOf(a) ?? a, decimalOf(b) ?? b];
  return left instanceof PythonValue && right instanceof PythonValue ? left.compare(right) : null;
}

function compareFloat(decimal: PythonDecimal, value: number): number {
  return Number.isFinite(value) ? decimal.compare(PythonDecimal.ofFloat(value))! : -value;
}

function sameItems(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => equal(item, b[i]));
}

function plain(value: unknown): unknown {
  return value instanceof Markup ? value.text : value;
}

/**
 * Negative, zero or positive; NaN for numbers that have no order.
 * @throws Error where Python has none for these types
 */
export function compare(left: unknown, right: unknown, operator = '<'): number {
  countElements(1);
  if (typeof left === 'number' && typeof right === 'number') return compareNumbers(left, right);
  const [a, b] = [plain(defined(left)), plain(defined(right))];
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const order = ofPython(a, b);
  if (order !== null && order !== undefined) return order;
  const [x, y] = [a, b].map((value) =>
    Array.isArray(value) ? (value as unknown[]) : value instanceof Tuple ? value.items : null,
  );
  if (x && y && Array.isArray(a) === Array.isArray(b)) {
    const at = x.findIndex((item, i) => i >= y.length || !equal(item, y[i]));
    if (at < 0) return x.length - y.length;
    return at >= y.length ? 1 : compare(x[at], y[at], operator);
  }
  throw new Error(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** By code points, as Python. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  countElements(at);
  return placeOfUnit(a.charCodeAt(at)) - placeOfUnit(b.charCodeAt(at));
}

/** Halves of pairs stand for code points behind all that have one unit; NaN is the end of a text. */
function placeOfUnit(unit: number): number {
  if (Number.isNaN(unit)) return -1;
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

export function compared(operator: string, left: unknown, right: unknown): boolean {
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right, operator) < 0;
    case '<=':
      return compare(left, right, operator) <= 0;
    case '>':
      return compare(left, right, operator) > 0;
    default:
      return compare(left, right, operator) >= 0;
  }
}

export function contains(container: unknown, item: unknown): boolean {
  if (container instanceof Blank) return false;
  const inside = plain(defined(container));
  if (typeof inside === 'string') {
    const part = plain(defined(item));
    if (typeof part !== 'string')
      throw new Error(`'in <string>' requires string as left operand, not ${typeName(part)}`);
    countElements(inside.length);
    return inside.includes(part);
  }
  if (inside instanceof Dict) return inside.has(item);
  return iterate(inside).some((other) => equal(other, item));
}

/** @throws Error for what cannot be looped over */
export function iterate(value: unknown): readonly unknown[] {
  if (value instanceof Blank) return [];
  const container = plain(defined(value));
  if (typeof container === 'string') return [...container];
  if (Array.isArray(container)) return container as unknown[];
  if (container instanceof Tuple || container instanceof Lazy) return container.items;
  if (container instanceof Dict) return container.keys();
  throw new Error(`'${typeName(container)}' object is not iterable`);
}

export function lengthOf(value: unknown): number {
  if (value instanceof Blank) return 0;
  const container = plain(defined(value));
  if (container instanceof Lazy && !(container instanceof Range) && container.label !== '')
    throw new Error(`object of type '${container.type}' has no len()`);
  if (container === null || isNumeric(container) || container instanceof Callable || container instanceof Attributes)
    throw new Error(`object of type '${typeName(container)}' has no len()`);
  return container instanceof Dict ? container.size : iterate(container).length;
}

/** `value[key]`; undefined where there is none. */
export function item(value: unknown, key: unknown): unknown {
  const container = plain(value);
  if (container instanceof Dict) {
    if (Array.isArray(key) || key instanceof Dict) throw new Error(`unhashable type: '${typeName(key)}'`);
    return container.has(key) ? container.get(key) : undefined;
  }
  if (!isInteger(key)) return undefined;
  const items = sequence(container);
  if (items === null) return undefined;
  if (typeof container === 'string') countElements(container.length);
  const index = Number(key);
  const at = index < 0 ? items.length + index : index;
  return at >= 0 && at < items.length ? items[at] : undefined;
}

/** Characters of a text, items of a list, tuple or range; null for anything else. */
export function sequence(value: unknown): readonly unknown[] | null {
  if (typeof value === 'string') return [...value];
  if (Array.isArray(value)) return value as unknown[];
  return value instanceof Tuple || value instanceof Range ? value.items : null;
}

/** `value[start:stop:step]` */
export function sliced(value: unknown, bounds: readonly unknown[]): unknown {
  const container = plain(defined(value));
  const items = sequence(container);
  if (items === null) throw new Error(`'${typeName(container)}' object is not subscriptable by a slice`);
  countElements(items.length);
  const [start = null, stop = null, step] = bounds.map((bound) => {
    if (bound === null || bound === undefined) return null;
    if (!isInteger(defined(bound))) throw new Error('slice indices must be integers or None');
    return Number(bound);
  });
  const picked = indices(items.length, start, stop, step ?? 1).map((i) => items[i]);
  if (typeof container === 'string') return picked.join('');
  return container instanceof Tuple ? new Tuple(picked) : container instanceof Range ? rangeOf(picked) : picked;
}

/** Only the items are known of a slice of a range: it prints by them. */
function rangeOf(items: readonly unknown[]): Range {
  return new Range(items, 'range');
}

function indices(length: number, start: number | null, stop: number | null, step: number): number[] {
  if (step === 0) throw new Error('slice step cannot be zero');
  const clamp = (bound: number | null, missing: number): number => {
    if (bound === null) return missing;
    const at = bound < 0 ? bound + length : bound;
    return step > 0 ? Math.min(Math.max(at, 0), length) : Math.min(Math.max(at, -1), length - 1);
  };
  const [from, to] = step > 0 ? [clamp(start, 0), clamp(stop, length)] : [clamp(start, length - 1), clamp(stop, -1)];
  const found: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) found.push(i);
  return found;
}

/** Python's `sorted`: stable. */
export function sorted(values: readonly unknown[], key: (value: unknown) => unknown, reverse: boolean): unknown[] {
  countPieces(values.length);
  const keyed = values.map((value) => ({ value, key: key(value) }));
  const sign = reverse ? -1 : 1;
  return keyed.sort((a, b) => sign * compare(a.key, b.key) || 0).map(({ value }) => value);
}

/** A whole number as an argument. @throws Error */
export function wholeNumber(value: unknown, what: string): number {
  defined(value);
  if (!isInteger(value)) throw new Error(`${what} is ${representation(value)}, not a whole number`);
  return Number(value);
}
