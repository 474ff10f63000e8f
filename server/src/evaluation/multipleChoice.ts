/**
 * `multi_choice_regex` of lm-evaluation-harness: the letter of a choice in an answer. First by the pattern; else the
 * first choice whose text the answer holds, longer texts before those that they begin with; else a letter behind a
 * colon.
 */
import { regexFindAll, regexReplace } from '../data/jinja/regex.ts';
import { escapedLength, strip } from './python.ts';

interface MultipleChoice {
  pattern: string;
  /** Which match counts, from the end where it is negative. */
  select: number;
  fallback: string;
  /** Of the second step. */
  ignoreCase: boolean;
  ignorePunctuation: boolean;
  regexesToIgnore: readonly string[];
}

/** Behind Z the harness has no letter that a pattern takes. */
const LETTERS = 26;

/** @param columns with the choices of the document @throws Error where there are none */
export function multipleChoice(
  columns: Readonly<Record<string, unknown>>,
  { pattern, select, fallback, ignoreCase, ignorePunctuation, regexesToIgnore }: MultipleChoice,
): (answer: string) => string {
  const { choices } = columns;
  if (!Array.isArray(choices) || choices.length === 0 || !choices.every((choice) => typeof choice === 'string')) {
    throw new Error(
      `the filter multi_choice_regex reads the answers to choose from out of the column "choices", a list of texts; columns: ${Object.keys(columns).join(', ')}`,
    );
  }
  if (choices.length > LETTERS) {
    throw new Error(`the filter multi_choice_regex has letters for ${LETTERS} choices, a row has ${choices.length}`);
  }
  const bare = (text: string): string => {
    let rest = regexesToIgnore.reduce((all, one) => regexReplace(all, one, '', 0), text);
    if (ignoreCase) rest = rest.toLowerCase();
    return ignorePunctuation ? rest.replace(/\p{P}/gu, '') : rest;
  };
  const letterOf = (at: number) => String.fromCharCode(65 + at);
  const texts = choices.map((choice) => bare(strip(choice)));
  // Of equal texts the last one counts.
  const letters = new Map(texts.map((text, at) => [text, `(${letterOf(at)})`]));
  const longest = [...texts].sort((a, b) => escapedLength(b) - escapedLength(a));
  const behindColon = `:[\\s]*(${texts.map((_, at) => letterOf(at)).join('|')})`;
  const chosen = (found: readonly (string | string[])[]): string => {
    const match = found.at(select);
    // The harness ends with an IndexError where there is none.
    if (match === undefined) return '';
    return strip(typeof match === 'string' ? match : (match.find((group) => group !== '') ?? ''));
  };
  return (answer) => {
    const direct = chosen(regexFindAll(answer, pattern));
    if (direct !== '') return direct;
    const text = chosen(literals(bare(answer), longest));
    if (text !== '') return letters.get(text) ?? text;
    const letter = chosen(regexFindAll(answer, behindColon));
    return letter === '' ? fallback : `(${letter})`;
  };
}

/** All matches, of several that begin at one place the first of the list; an empty one matches everywhere. */
function literals(text: string, of: readonly string[]): string[] {
  const found: string[] = [];
  for (let at = 0; at <= text.length;) {
    const match = of.find((literal) => text.startsWith(literal, at));
    if (match !== undefined) found.push(match);
    at += match === undefined || match === '' ? 1 : match.length;
  }
  return found;
}
