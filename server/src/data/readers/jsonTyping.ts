/**
 * Types of JSON columns as Arrow infers them and `datasets` keeps them: whole numbers beside floats are floats, texts
 * that are all timestamps are datetimes, at any depth; objects with the same keys have them in one order. Values of
 * different kinds, and objects whose keys differ, stay as they are written, with all below them.
 */
import { float, isFloat, isWhole, WholeFloat } from '../jinja/numbers.ts';
import { timestampOf } from '../jinja/moments.ts';
import type { Typing } from './reader.ts';
import { nth } from '../../lists/nth.ts';

/** A value of the column -> as its type has it. Null: as it is written. */
type Conversion = ((value: unknown) => unknown) | null;

/** Which columns of texts may be timestamps. */
export type MayBeTimes = (column: string) => boolean;

export const anyColumn: MayBeTimes = () => true;
/** pandas, which reads the rows of a `field`, looks at names. */
export const pandasDates: MayBeTimes = (column) =>
  /(?:_at|_time)$|^(?:timestamp|modified$|date$)/.test(column.toLowerCase());

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Number);
const isNumber = (value: unknown): boolean => isWhole(value) || isFloat(value);
/** Arrow reads whole numbers of more than 64 bits as floats. */
const isFloating = (value: unknown): boolean =>
  isFloat(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value);

/** @param rows the first ones */
export function jsonTyping(rows: readonly Record<string, unknown>[], times: MayBeTimes = anyColumn): Typing {
  const columns = new Map<string, unknown[]>();
  for (const row of rows)
    for (const [name, value] of Object.entries(row)) {
      const values = columns.get(name);
      if (values) values.push(value);
      else columns.set(name, [value]);
    }
  const conversions = new Map<string, (value: unknown) => unknown>();
  for (const [name, values] of columns) {
    const conversion = conversionOf(values, times(name));
    if (conversion) conversions.set(name, conversion);
  }
  if (conversions.size === 0) return (row) => row;
  return (row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        value === null ? null : (conversions.get(name)?.(value) ?? value),
      ]),
    );
}

/** Levels of lists and objects that are looked into. */
const DEEPEST = 64;

function conversionOf(values: readonly unknown[], times: boolean, depth = 0): Conversion {
  if (depth > DEEPEST) return null;
  const present = values.filter((value) => value !== null && value !== undefined);
  if (present.length === 0) return null;
  if (present.every(isNumber)) {
    // Whole floats of a later file are brought to the whole numbers of the first.
    if (!present.some(isFloating)) return (value) => (value instanceof WholeFloat ? Number(value) : value);
    return (value) => (isNumber(value) ? float(Number(value)) : value);
  }
  if (present.every((value) => typeof value === 'string')) {
    if (!times || !present.every((text) => timestampOf(text) !== null)) return null;
    return (value) => (typeof value === 'string' ? (timestampOf(value) ?? value) : value);
  }
  if (present.every(Array.isArray)) {
    const inner = conversionOf((present as unknown[][]).flat(), times, depth + 1);
    return (
      inner && ((value) => (Array.isArray(value) ? value.map((item) => (item === null ? null : inner(item))) : value))
    );
  }
  return present.every(isObject) ? objectConversion(present, times, depth + 1) : null;
}

function objectConversion(objects: readonly Record<string, unknown>[], times: boolean, depth: number): Conversion {
  const names = Object.keys(nth(objects, 0));
  const alike = (object: Record<string, unknown>): boolean =>
    Object.keys(object).length === names.length && names.every((name) => Object.hasOwn(object, name));
  if (names.length === 0 || !objects.every(alike)) return null;
  const inner = names.map((name) =>
    conversionOf(
      objects.map((object) => object[name]),
      times,
      depth,
    ),
  );
  return (value) => {
    if (!isObject(value) || !alike(value)) return value;
    return Object.fromEntries(
      names.map((name, i) => [name, value[name] === null ? null : (inner[i]?.(value[name]) ?? value[name])]),
    );
  };
}
