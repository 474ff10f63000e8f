/**
 * Names and types of CSV columns, by pandas' rules: a column whose filled cells are all whole numbers, all numbers or
 * all truth values has these as values, any other keeps its texts. An empty cell is None, and so are the words that
 * pandas takes for a missing value. A column of whole numbers with a missing one is a column of floats.
 */
import { float } from '../jinja/numbers.ts';
import type { Typing } from './reader.ts';
import { lookup } from '../../text/lookup.ts';

/** A cell's text, of a filled cell -> its value. */
type CellReader = (text: string) => unknown;

interface CellType {
  fits: (text: string) => boolean;
  read: CellReader;
  /** The type of the column where a cell is missing. */
  withGaps?: CellReader;
}

/** pandas.read_csv's `na_values`. */
const missing: ReadonlySet<string> = new Set(
  ',#N/A,#N/A N/A,#NA,-1.#IND,-1.#QNAN,-NaN,-nan,1.#IND,1.#QNAN,<NA>,N/A,NA,NULL,NaN,None,n/a,nan,null'.split(','),
);

const WHOLE = /^\s*[-+]?\d+\s*$/;
const NUMBER = /^\s*[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|inf(?:inity)?)\s*$/i;
const truths: Readonly<Record<string, boolean>> = {
  True: true,
  TRUE: true,
  true: true,
  False: false,
  FALSE: false,
  false: false,
};

/** Of 64 bits, with or without a sign. */
function isWhole(text: string): boolean {
  if (!WHOLE.test(text)) return false;
  const value = BigInt(text.trim().replace('+', ''));
  return value >= -(2n ** 63n) && value < 2n ** 64n;
}

function wholeOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value + 0 : BigInt(text.trim().replace('+', ''));
}

function floatOf(text: string): unknown {
  const infinite = /^\s*([-+]?)inf/i.exec(text);
  return float(infinite ? (infinite[1] === '-' ? -Infinity : Infinity) : Number(text));
}

/** In order; the first that fits. */
const types: readonly CellType[] = [
  { fits: isWhole, read: wholeOf, withGaps: floatOf },
  { fits: (text) => NUMBER.test(text), read: floatOf },
  { fits: (text) => Object.hasOwn(truths, text), read: (text) => lookup(truths, text) },
];

/**
 * A later cell that does not fit stays text.
 * @param rows that decide
 */
export function columnTyping(header: readonly string[], rows: readonly (readonly string[])[]): Typing {
  const readers = new Map(header.map((name, column) => [name, readerOf(rows.map((values) => values[column] ?? ''))]));
  return (values) =>
    Object.fromEntries(
      Object.entries(values).map(([name, cell]) => {
        const text = cell as string;
        return [name, missing.has(text) ? null : (readers.get(name)?.(text) ?? text)];
      }),
    );
}

/** Null for a column of texts. */
function readerOf(cells: readonly string[]): CellReader | null {
  const filled = cells.filter((text) => !missing.has(text));
  if (filled.length === 0) return null;
  const type = types.find(({ fits }) => filled.every(fits));
  if (type === undefined) return null;
  const read = filled.length < cells.length ? (type.withGaps ?? type.read) : type.read;
  // Of a column of whole numbers a later 2.5 stays what it is, of a column of floats a later 1 is 1.0.
  return (text) => (type.fits(text) ? read(text) : text);
}

/** By pandas' rule: `Unnamed: 2` for a third column without a name, `a.1` for the second `a`. */
export function columnNames(header: readonly string[]): string[] {
  const given = header.map((name, column) => name.trim() || `Unnamed: ${column}`);
  const counts = new Map<string, number>();
  const used = new Set<string>();
  return given.map((name) => {
    let own = name;
    while (used.has(own)) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      own = `${name}.${count}`;
      if (given.includes(own)) own = name;
    }
    used.add(own);
    return own;
  });
}
