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
