/**
 * JSON text -> value, as Python's `json.loads` reads it: beside JSON proper the words NaN, Infinity and -Infinity,
 * which `json.dump` and pandas write for missing and overflown numbers; whole numbers beyond 2^53 exactly (bigint), and
 * whole floats apart from whole numbers (`WholeFloat`). Of a key that stands twice the last value counts.
 */
import { float } from '../jinja/numbers.ts';
import type { WholeFloat } from '../jinja/numbers.ts';

/** Words that are no JSON, and what they mean. */
const constants: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['-Infinity', -Infinity],
  ['Infinity', Infinity],
]);

/** Strings are matched to be stepped over: a word or number inside one is text. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gs;
/** Where no number needs care, `JSON.parse` alone does. */
const SPECIAL = /\d{16}|\d\.0*(?!\d)|\d[eE]|\d\.\d{15}|NaN|Infinity/;

/** @throws SyntaxError */
export function parseJson(text: string): unknown {
  return SPECIAL.test(text) ? withNumbers(text) : (JSON.parse(text) as unknown);
}

/**
 * Puts a string that the text does not hold in place of each special number, and the number in place of that string.
 */
function withNumbers(text: string): unknown {
  let mark = 'layerif:';
  while (text.includes(mark)) mark += ':';
  const numbers: unknown[] = [];
  const marked = text.replace(TOKEN, (token) => {
    const value = special(token);
    return value === undefined ? token : JSON.stringify(mark + String(numbers.push(value) - 1));
  });
  if (numbers.length === 0) return JSON.parse(text) as unknown;
  try {
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? numbers[Number(value.slice(mark.length))] : value,
    ) as unknown;
  } catch (error) {
    // Said of the text as it stands.
    if (![...constants.keys()].some((word) => text.includes(word))) JSON.parse(text);
    throw error;
  }
}

/** The value of a token that `JSON.parse` would read as another one, else undefined. */
function special(token: string): number | bigint | WholeFloat | undefined {
  if (token.startsWith('"')) return undefined;
  if (constants.has(token)) return constants.get(token);
  const number = Number(token);
  if (/^-?\d+$/.test(token)) return Number.isSafeInteger(number) ? undefined : BigInt(token);
  return Number.isSafeInteger(number) ? float(number) : undefined;
}
