/**
 * JSON text -> value, as Python's `json.loads` reads it: beside JSON proper the words NaN, Infinity and -Infinity, which
 * `json.dump` and pandas write for missing and overflown numbers. Of a key that stands twice the last value counts.
 */

/** Words that are no JSON, and what they mean. */
const constants: readonly (readonly [word: string, value: number])[] = [
  ['NaN', NaN],
  ['-Infinity', -Infinity],
  ['Infinity', Infinity],
];

/** Strings are matched to be stepped over: a word inside one is text. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/gs;

/** @throws SyntaxError */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!constants.some(([word]) => text.includes(word))) throw error;
    return withConstants(text);
  }
}

/** Puts a string that the text does not hold in place of each word, and the number in place of that string. */
function withConstants(text: string): unknown {
  let mark = 'layerif:';
  while (text.includes(mark)) mark += ':';
  const known = new Map(constants);
  const marked = text.replace(TOKEN, (token) => (known.has(token) ? JSON.stringify(mark + token) : token));
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? known.get(value.slice(mark.length)) : value,
  );
}
