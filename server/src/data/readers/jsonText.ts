/**
 * JSON text -> value, as Python's `json.loads` reads it: beside JSON proper the words NaN, Infinity and -Infinity,
 * which `json.dump` and pandas write for missing and overflown numbers; whole numbers beyond 2^53 exactly (bigint), and
 * whole floats apart from whole numbers (`WholeFloat`). Of a key that stands twice the last value counts.
 */
import { float } from '../jinja/numbers.ts';
import { jsonFault, NotJson, parsedJson } from '../../text/jsonFault.ts';
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

/** @throws NotJson */
export function parseJson(text: string): unknown {
  return SPECIAL.test(text) ? withNumbers(text) : parsedJson(text);
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
  if (numbers.length === 0) return parsedJson(text);
  try {
    return JSON.parse(marked, (_, value: unknown) =>
      typeof value === 'string' && value.startsWith(mark) ? numbers[Number(value.slice(mark.length))] : value,
    ) as unknown;
  } catch (error) {
    // Said of the text as it stands, in which the constants are the only words that are no JSON.
    const fault = jsonFault(text.replace(TOKEN, (token) => (constants.has(token) ? '0'.repeat(token.length) : token)));
    throw fault === null ? error : new NotJson(fault, error);
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
