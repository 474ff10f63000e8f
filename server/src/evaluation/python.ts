/** Texts as Python's str methods change them. */
import { nth } from '../lists/nth.ts';

/** White space to Python. */
const isSpace = (char: string): boolean => /\s|\u0085/u.test(char) || (char >= '\u001c' && char <= '\u001f');

/** `str.strip()` */
export function strip(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(nth(text, start))) start++;
  while (end > start && isSpace(nth(text, end - 1))) end--;
  return text.slice(start, end);
}

/** Length of `re.escape(text)`. */
export function escapedLength(text: string): number {
  return [...text].length + (text.match(/[()[\]{}?*+\-|^$\\.&~# \t\n\r\v\f]/g)?.length ?? 0);
}
