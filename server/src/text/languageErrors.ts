/**
 * Errors of JavaScript itself that the input brings about, in words for who wrote the input: the language's own name
 * what the program does, not what is wrong with the file.
 */

const words: readonly [pattern: RegExp, words: string][] = [
  [/^Invalid string length|^Cannot create a string longer/, 'it makes a text longer than this program can hold'],
  [
    /^Invalid array length|^Array buffer allocation failed|^Invalid typed array length/,
    'it makes a list larger than this program can hold',
  ],
  [/^Maximum call stack size exceeded|^too much recursion/, 'it is nested too deep'],
  [/^Maximum BigInt size exceeded/, 'it makes a number larger than this program can hold'],
  [/^Invalid regular expression/, 'a regular expression in it is not valid'],
  [
    /outside the bounds|out of (?:bounds|range)|^Invalid offset|^start offset/i,
    'it ends too early, or a length in it is wrong',
  ],
];
const ofLanguage: ReadonlySet<unknown> = new Set([RangeError, TypeError, SyntaxError, ReferenceError]);
const OTHER = 'a part of it is missing or of another type than belongs there';

/** Characters of a message: some repeat the text that they are about. */
const LONGEST = 500;

/** The message of an error, cut where it is long; of one that the language made, in words of ours. */
export function ourWords(error: Error): string {
  // Kinds of them that are ours have words of their own.
  if (!ofLanguage.has(error.constructor))
    return error.message.length <= LONGEST ? error.message : `${error.message.slice(0, LONGEST)}...`;
  return words.find(([pattern]) => pattern.test(error.message))?.[1] ?? OTHER;
}
