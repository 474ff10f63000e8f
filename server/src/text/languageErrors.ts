/**
 * Errors of JavaScript itself that the input brings about, in words for who wrote the input; all others are defects of
 * ours.
 */

const words: readonly [pattern: RegExp, words: string][] = [
  [/^Invalid string length|^Cannot create a string longer/, 'it makes a text longer than this program can hold'],
  [
    /^Invalid array length|^Array buffer allocation failed|^Invalid typed array length/,
    'it makes a list larger than this program can hold',
  ],
  [/^Maximum call stack size exceeded|^too much recursion/, 'it is nested too deep'],
  [/^Maximum BigInt size exceeded/, 'it makes a number larger than this program can hold'],
];

/** The message of an error, where the language made it in words of ours. */
export function ourWords(error: Error): string {
  if (!(error instanceof RangeError)) return error.message;
  return words.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message;
}
