/** Text that comes from a file and goes into a message of one line: line ends would break it, escape codes would reach the terminal. */

const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}]/u;

export function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}

/** The text with a space for each character that cannot be shown. */
export function printable(text: string): string {
  return text.replaceAll(new RegExp(UNPRINTABLE, 'gu'), ' ');
}
