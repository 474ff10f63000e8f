/**
 * Patterns of `tokenizer.json`: a text as it is, or a regular expression of Oniguruma, which the library rewrites for
 * JavaScript.
 */
import { SplitPreTokenizer } from '@huggingface/tokenizers';

/** @throws Error for a pattern that JavaScript cannot express */
export function patternOf(pattern: unknown): RegExp {
  const { Regex: regex, String: text } = (pattern ?? {}) as { Regex?: unknown; String?: unknown };
  if (typeof text === 'string') return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
  if (typeof regex !== 'string') throw new Error(`a pattern must be { "String": ... } or { "Regex": ... }`);
  const found = new SplitPreTokenizer({
    type: 'Split',
    pattern: { Regex: withoutPossessive(regex) },
    behavior: 'Isolated',
    invert: false,
  }).pattern;
  if (found === null) throw new Error(`the pattern ${regex} cannot be used`);
  return found;
}

/**
 * Possessive quantifiers, which JavaScript lacks, as greedy ones. What they guard against in the patterns of tokenizers
 * is time: the character class behind such a quantifier shares no character with the one before it, so giving back
 * never helps.
 */
function withoutPossessive(regex: string): string {
  return regex.replace(/(?<!\\)([?*+]|\{\d+(?:,\d*)?\})\+/g, '$1');
}

/** Regular expressions of parts of a tokenizer.json, at any depth. */
export function patternsIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  const own = (part as { Regex?: unknown }).Regex;
  return [...(typeof own === 'string' ? [own] : []), ...Object.values(part).flatMap(patternsIn)];
}

/** Parts of one alternative that may stand any number of times: with more, a long search grows like n^4. */
const MOST_REPETITIONS = 3;

/**
 * Whether a pattern may take time without end on a short text: a group that may stand many times holds something that
 * may, or a choice, or many repetitions stand behind each other. Says yes to some that do not.
 */
export function mayBacktrack(pattern: string): boolean {
  let inner = pattern.replace(/\\./gsu, 'x').replace(/\[[^\]]*\]/gu, 'x');
  for (;;) {
    if (inner.split('|').some((part) => (part.match(REPEATED)?.length ?? 0) > MOST_REPETITIONS)) return true;
    // The innermost groups first: one that may repeat or choose leaves a repetition, another one a character.
    const group = /\(([^()]*)\)([*+]|\{\d+(?:,\d*)?\})?/u.exec(inner);
    if (group === null) return false;
    const [whole, body = '', many] = group;
    const open =
      body.replace(/^\?(?:[:=!>]|<[=!]|[a-z]+:)/u, '').includes('|') || (body.match(REPEATED)?.length ?? 0) > 0;
    if (many !== undefined && open) return true;
    inner =
      inner.slice(0, group.index) + (many !== undefined || open ? 'x*' : 'x') + inner.slice(group.index + whole.length);
  }
}

const REPEATED = /[*+]|\{\d+,\d*\}/gu;
