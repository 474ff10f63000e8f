/** Names and types of CSV columns. To add a type, write a row in `types`. */
import { float, floatText } from '../jinja/numbers.ts';

/** A cell's text -> its value. */
export type CellReader = (text: string) => unknown;

interface CellType {
  fits: (text: string) => boolean;
  read: (text: string) => unknown;
}

/** Rendered back (as Python does) a value gives the text it was read from. */
const types: readonly CellType[] = [
  {
    fits: (text) => isWholeNumber(text) || isFloat(text),
    read: (text) => (isFloat(text) ? float(Number(text)) : Number(text)),
  },
  { fits: (text) => text === 'True' || text === 'False', read: (text) => text === 'True' },
];

function isWholeNumber(text: string): boolean {
  return /^-?\d+$/.test(text) && String(Number(text)) === text && Number.isSafeInteger(Number(text));
}

function isFloat(text: string): boolean {
  return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) && !/^-?\d+$/.test(text) && floatText(Number(text)) === text;
}

/**
 * One reader for each column: of the type that all its filled cells have, else of text. A later cell that does not fit stays text.
 * @param rows that decide
 */
export function columnReaders(rows: readonly (readonly string[])[], columns: number): CellReader[] {
  return Array.from({ length: columns }, (_, column) => {
    const filled = rows.map((values) => values[column] ?? '').filter((text) => text !== '');
    const type = filled.length === 0 ? undefined : types.find(({ fits }) => filled.every(fits));
    return type === undefined ? (text) => text : (text) => (type.fits(text) ? type.read(text) : text);
  });
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
