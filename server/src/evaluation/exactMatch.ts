/**
 * `exact_match` of lm-evaluation-harness: is the written answer one of the right ones, after what its options take out
 * of both?
 */
import { regexReplace } from '../data/jinja/regex.ts';

export interface MatchOptions {
  regexesToIgnore?: readonly string[];
  ignoreCase?: boolean;
  ignorePunctuation?: boolean;
  ignoreNumbers?: boolean;
}

/** Python's `string.punctuation`. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/** Keys of an entry in `metric_list` that are none of the metric's own. */
export const notOptions: ReadonlySet<string> = new Set(['metric', 'aggregation', 'higher_is_better', 'hf_evaluate']);

/** Null for options that the metric does not have. */
export function matchOptions(entry: Readonly<Record<string, unknown>>): MatchOptions | null {
  const options: MatchOptions = {};
  for (const [key, value] of Object.entries(entry)) {
    if (notOptions.has(key) || value === null) continue;
    if (key === 'regexes_to_ignore' && Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      options.regexesToIgnore = value;
    } else if (typeof value !== 'boolean') return null;
    else if (key === 'ignore_case') options.ignoreCase = value;
    else if (key === 'ignore_punctuation') options.ignorePunctuation = value;
    else if (key === 'ignore_numbers') options.ignoreNumbers = value;
    else return null;
  }
  return options;
}

/**
 * @returns 1 or 0; of several answers the share of the right ones, where there is one right answer (numpy's broadcast)
 */
export function exactMatch(
  {
    answer = '',
    targets = [],
  }: { answer?: string | readonly string[] | undefined; targets?: readonly string[] | undefined },
  options: MatchOptions,
): number {
  const answers = (typeof answer === 'string' ? [answer] : answer).map((text) => changed(text, options));
  const right = targets.map((text) => changed(text, options));
  const hits = answers.filter((text) => right.includes(text)).length;
  return right.length > 1 ? Math.min(1, hits) : hits / Math.max(1, answers.length);
}

function changed(
  text: string,
  { regexesToIgnore = [], ignoreCase, ignorePunctuation, ignoreNumbers }: MatchOptions,
): string {
  let rest = regexesToIgnore.reduce((all, pattern) => regexReplace(all, pattern, '', 0), text);
  if (ignoreCase) rest = rest.toLowerCase();
  if (ignorePunctuation) rest = rest.replace(PUNCTUATION, '');
  return ignoreNumbers ? rest.replace(/[0-9]/g, '') : rest;
}
