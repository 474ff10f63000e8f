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
/** Parts of one alternative that may be left out: each doubles the ways in which a text can fit. */
const MOST_OPTIONAL = 8;

/**
 * Whether a pattern may take time without end on a short text: a group that may stand several times holds something
 * that may, a choice, or what may be left out, or many of these stand behind each other. Says yes to some that do not.
 */
export function mayBacktrack(pattern: string): boolean {
  let inner = pattern.replace(/\\./gsu, 'x').replace(/\[[^\]]*\]/gu, 'x');
  for (;;) {
    const tooMany = inner
      .split('|')
      .some((part) => count(part, REPEATED) > MOST_REPETITIONS || count(part, OPTIONAL) > MOST_OPTIONAL);
    if (tooMany) return true;
    // The innermost groups first: one that may repeat or choose leaves a repetition, another one a character.
    const group = /\(([^()]*)\)([*+]|\{\d+(?:,\d*)?\})?/u.exec(inner);
    if (group === null) return false;
    const [whole, content = '', many] = group;
    const body = content.replace(/^\?(?:[:=!>]|<[=!]|<\w+>|[a-z]+:)/u, '');
    const open = body.includes('|') || count(body, REPEATED) > 0;
    const optional = count(body, OPTIONAL);
    // `(?:\r?\n)+` takes something each time; a stated number of times may be met by nothing.
    if (many !== undefined && (open || optional > (many.startsWith('{') ? 0 : 1))) return true;
    const left = (many !== undefined || open ? 'x*' : 'x') + 'x?'.repeat(optional);
    inner = inner.slice(0, group.index) + left + inner.slice(group.index + whole.length);
  }
}

const REPEATED = /[*+]|\{\d+,\d*\}/gu;
/** Not the sign of a lazy quantifier or of a group's kind. */
const OPTIONAL = /(?<![*+?}(])\?/gu;

const count = (text: string, part: RegExp): number => text.match(part)?.length ?? 0;
