/** Where the rows of `{"data": [...]}` stand in the text, which a parsed value no longer tells. */
import type { JsonValue } from './jsonValues.ts';

const [NEWLINE, RETURN, QUOTE, BACKSLASH, COMMA] = [...'\n\r"\\,'].map((c) => c.charCodeAt(0));
const [BRACE, BRACKET, END_BRACE, END_BRACKET] = [...'{[}]'].map((c) => c.charCodeAt(0));

/**
 * The line, from 1, of each element of the array under `key`; of the last one where the key stands twice.
 * @param source an object whose text is known to be valid
 */
export function elementLines({ bytes, line: first }: JsonValue, key: string): number[] {
  let lines: number[] = [];
  let line = first;
  let level = 0;
  let isKey = false; // the next string at level 1
  let isElement = false; // the next value at level 2
  let wanted = false;
  for (let i = 0, c = bytes[i]; c !== undefined; c = bytes[++i]) {
    if (c === NEWLINE || (c === RETURN && bytes[i + 1] !== NEWLINE)) line += 1;
    if (c <= 0x20) continue;
    if (isElement && level === 2 && c !== END_BRACKET) {
      lines.push(line);
      isElement = false;
    }
    if (c === QUOTE) {
      const start = i;
      for (i += 1; bytes[i] !== QUOTE; i += 1) if (bytes[i] === BACKSLASH) i += 1;
      if (level !== 1 || !isKey) continue;
      wanted = JSON.parse(bytes.toString('utf8', start, i + 1)) === key;
      isKey = false;
    } else if (c === BRACE || c === BRACKET) {
      level += 1;
      if (level === 1) isKey = true;
      if (level === 2 && wanted) {
        lines = [];
        isElement = c === BRACKET;
      }
    } else if (c === END_BRACE || c === END_BRACKET) {
      level -= 1;
    } else if (c === COMMA) {
      if (level === 1) isKey = true;
      if (level === 2) isElement = wanted;
    }
  }
  return lines;
}
