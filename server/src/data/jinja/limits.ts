/**
 * What one rendering may take, so that neither a slip nor a hostile file takes all time and memory. Steps and elements
 * are counted, not timed: a template is refused on every machine or on none. Outside of a rendering nothing is counted.
 */

/** Statements and expressions that are evaluated, rounds of loops. */
const MOST_STEPS = 1_000_000;
/** Characters and elements that operators, filters, methods and tests read and make, one by one. */
const MOST_ELEMENTS = 20_000_000;
/** Characters of a text, or elements of a list, that an expression makes. */
const LONGEST = 10_000_000;
/** Numbers of a `range`, parts of a `slice`. */
const LONGEST_RANGE = 100_000;
/** What an entry of a mapping, a key to sort by or a field of a format costs, in elements. */
const COST_OF_A_PIECE = 10;
/** Digits of a whole number that is computed with. */
const MOST_DIGITS = 100_000;
/** All regular expressions of a rendering together: these can only be timed. */
export const REGEX_SECONDS = 1;
/** Bits of a hexadecimal digit, and decimal digits of a bit. */
const HEX_BITS = 4;
const DIGITS_OF_A_BIT = Math.log10(2);

/** A limit is passed: not for a filter to catch that has another value for what fails. */
export class OverLimit extends Error {}

interface Budget {
  steps: number;
  elements: number;
  regexSeconds: number;
}

let left: Budget | null = null;

/** @throws OverLimit where `render` takes more than one rendering may */
export function withinLimits<T>(render: () => T): T {
  const before = left;
  left = { steps: MOST_STEPS, elements: MOST_ELEMENTS, regexSeconds: REGEX_SECONDS };
  try {
    return render();
  } finally {
    left = before;
  }
}

export function countStep(): void {
  if (left !== null && --left.steps < 0) throw new OverLimit(`the template takes more than ${MOST_STEPS} steps`);
}

/** @param count characters and elements that are read or made */
export function countElements(count: number): void {
  if (left !== null && (left.elements -= count) < 0)
    throw new OverLimit(`the template reads and makes more than ${MOST_ELEMENTS} characters and elements`);
}

/** What needs an object of its own, and so as much time as some characters. */
export function countPieces(count: number): void {
  countElements(COST_OF_A_PIECE * count);
}

/** Seconds that a regular expression may take now; @param work is told them, its time is taken off */
export function inRegexTime<T>(work: (seconds: number) => T): T {
  if (left === null) return work(REGEX_SECONDS);
  const begin = performance.now();
  try {
    return work(Math.max(left.regexSeconds, 1e-3));
  } finally {
    left.regexSeconds -= (performance.now() - begin) / 1000;
  }
}

/** @throws OverLimit for a text that no prompt holds */
export function requireText(length: number): number {
  if (length > LONGEST) throw new OverLimit(`a text of ${length} characters or more; at most ${LONGEST} are made`);
  return length;
}

/** @throws OverLimit for a list that no row needs */
export function requireElements(length: number): number {
  if (length > LONGEST) throw new OverLimit(`a text or list of ${length} elements; at most ${LONGEST} are made`);
  return length;
}

/** @throws OverLimit */
export function requireRange(what: string, count: number): void {
  if (!(count <= LONGEST_RANGE))
    throw new OverLimit(`${what} of ${count} elements; at most ${LONGEST_RANGE} are allowed`);
}

/** @throws OverLimit for a whole number of more digits than are computed with */
export function requireDigits(digits: number): number {
  if (digits > MOST_DIGITS)
    throw new OverLimit(`a whole number of ${Math.ceil(digits)} digits; at most ${MOST_DIGITS} are computed with`);
  return digits;
}

/** Decimal digits of a whole number, one more at most. */
export function digitsOf(value: bigint): number {
  return Math.ceil(value.toString(16).length * HEX_BITS * DIGITS_OF_A_BIT);
}

export function repeatedText(part: string, times: number): string {
  const count = Math.max(0, times);
  requireText(part.length * count);
  return part.repeat(count);
}

export function joinedTexts(parts: readonly string[], separator: string): string {
  const between = separator.length * Math.max(0, parts.length - 1);
  requireText(parts.reduce((length, part) => length + part.length, between));
  return parts.join(separator);
}
