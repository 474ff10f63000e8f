/** Whether a text names an answer, and which of several answers decide that. Pure. */

export const matchIds = ['contains', 'words', 'exact'] as const;
export type MatchId = (typeof matchIds)[number];

/** Letters, digits and marks: what belongs to a word. */
const WORD = /[\p{L}\p{N}\p{M}]/u;

/**
 * A text as it is compared: compatibility forms of characters are one (NFKC), upper and lower case too, by full case
 * folding (ß and ss), and every run of white space is a space.
 */
export function folded(text: string): string {
  const caseless = text.normalize('NFKC').toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return caseless.normalize('NFKC').replace(/\s+/gu, ' ').trim();
}

/**
 *     contains   the folded answer is a part of the folded text
 *     words      the same, with neither a letter nor a digit right before or behind it
 *     exact      the answer is a part of the text, character for character
 */
export function names(text: string, answers: readonly string[], match: MatchId): boolean {
  if (match === 'exact') return answers.some((answer) => text.includes(answer));
  const own = folded(text);
  return answers.some((answer) => {
    const sought = folded(answer);
    return match === 'contains' ? own.includes(sought) : standsAlone(own, sought);
  });
}

function standsAlone(text: string, sought: string): boolean {
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + 1)) {
    const before = [...text.slice(0, at)].at(-1) ?? '';
    const [after = ''] = text.slice(at + sought.length);
    if (!WORD.test(before) && !WORD.test(after)) return true;
  }
  return false;
}

/** Answers that another one is a part of, as they are compared: they never decide. */
export function idle(answers: readonly string[], match: MatchId): string[] {
  const different = [
    ...new Map(answers.map((answer) => [match === 'exact' ? answer : folded(answer), answer])).values(),
  ];
  return different.filter((answer) => different.some((other) => other !== answer && names(answer, [other], match)));
}

/**
 * Of continuations that are given as tokens those that no other one is the beginning of: a text that begins with one of
 * all begins with exactly one of these, so that their probabilities add up.
 */
export function prefixFree<T extends { tokens: ArrayLike<number> }>(continuations: readonly T[]): T[] {
  const kept: T[] = [];
  for (const one of continuations.toSorted((a, b) => a.tokens.length - b.tokens.length))
    if (!kept.some((shorter) => begins(one.tokens, shorter.tokens))) kept.push(one);
  return kept;
}

function begins(tokens: ArrayLike<number>, start: ArrayLike<number>): boolean {
  for (let t = 0; t < start.length; t++) if (tokens[t] !== start[t]) return false;
  return true;
}
