/**
 * Text that comes from a file and goes into a message of one line: line ends would break it, escape codes would reach
 * the terminal.
 */

const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

/** The text with a space for each character that cannot be shown. */
export function printable(text: string): string {
  return text.replaceAll(new RegExp(UNPRINTABLE, 'gu'), ' ');
}

/** Characters of a value that a message repeats. */
const LONGEST = 160;

/** A value of a JSON file as it stands there, cut where it is long; `missing` where there is none. */
export function quoted(value: unknown): string {
  return cut(JSON.stringify(value) ?? 'missing');
}

export function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}
