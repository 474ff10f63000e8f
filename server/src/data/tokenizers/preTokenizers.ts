/**
 * `pre_tokenizer` of tokenizer.json: a text into words, one row per type. Each does what the Rust library does; the
 * library for JavaScript departs from it in silence (`\w` and `\d` of ASCII alone, `behavior` and `split` unread,
 * U+FEFF taken for white space).
 */
import { makerOf, wordOf } from './json.ts';
import type { Json } from './json.ts';
import { patternOf } from './patterns.ts';
import { behaviorOf, splitAt } from './split.ts';
import type { Behavior } from './split.ts';

/** `first`: the word begins where the text begins. */
export interface Word {
  text: string;
  first: boolean;
}
export type PreTokenizer = (word: Word) => Word[];

const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

/** U+2581, which stands for a space. */
const MARK = '▁';
const whiteSpace = /\p{White_Space}/gu;
const ascii = '!-/:-@\\[-`{-~';
const punctuation = new RegExp(`[\\p{P}${ascii}]`, 'gu');
const number = /\p{N}/gu;
const gpt2Words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
const wordsOrSigns = new RegExp(`[${word}]+|[^${word}\\p{White_Space}]+`, 'gu');

const makers: Readonly<Record<string, (settings: Json) => PreTokenizer>> = {
  Sequence: (settings) => {
    const steps = list(settings['pretokenizers']).map((step) => preTokenizerOf(step));
    return (text) => steps.reduce<Word[]>((words, step) => words.flatMap(step), [text]);
  },
  ByteLevel: (settings) => {
    const [prefix, regex] = [settings['add_prefix_space'] !== false, settings['use_regex'] !== false];
    return (piece) => {
      const text = prefix && !piece.text.startsWith(' ') ? ` ${piece.text}` : piece.text;
      const words = regex ? cut(gpt2Words, 'Isolated')({ ...piece, text }) : [{ ...piece, text }];
      return words.map((found) => ({ ...found, text: byteLevel(found.text) }));
    };
  },
  Metaspace: (settings) => {
    const mark = wordOf(settings['replacement'], MARK);
    const scheme = settings['add_prefix_space'] === false ? 'never' : (settings['prepend_scheme'] ?? 'always');
    const whole = settings['split'] === false;
    const split = cut(patternOf({ String: mark }), 'MergedWithNext');
    return (piece) => {
      let text = piece.text.replaceAll(' ', mark);
      if (!text.startsWith(mark) && (scheme === 'always' || (scheme === 'first' && piece.first))) text = mark + text;
      return whole ? [{ ...piece, text }] : split({ ...piece, text });
    };
  },
  Split: (settings) =>
    cut(patternOf(settings['pattern']), namedBehavior(settings['behavior']), settings['invert'] === true),
  Digits: (settings) => cut(number, settings['individual_digits'] === true ? 'Isolated' : 'Contiguous'),
  Punctuation: (settings) => cut(punctuation, namedBehavior(settings['behavior'])),
  Whitespace: () => cut(wordsOrSigns, 'Removed', true),
  WhitespaceSplit: () => cut(whiteSpace, 'Removed'),
  BertPreTokenizer: () => {
    const [spaces, signs] = [cut(whiteSpace, 'Removed'), cut(punctuation, 'Isolated')];
    return (piece) => spaces(piece).flatMap(signs);
  },
  CharDelimiterSplit: (settings) => cut(patternOf({ String: settings['delimiter'] }), 'Removed'),
  FixedLength: (settings) =>
    cut(new RegExp(`[^]{1,${Math.max(1, Number(settings['length'] ?? 5))}}`, 'gu'), 'Isolated'),
};

/** @throws Error for a type or a setting that is not in the table */
export function preTokenizerOf(settings: Json | null): PreTokenizer {
  if (settings === null) return (piece) => [piece];
  return makerOf('pre_tokenizer', settings, makers)(settings);
}

function namedBehavior(name: unknown): Behavior {
  const behavior = behaviorOf(name);
  if (behavior === null) throw new Error(`its pre_tokenizer has the behavior "${String(name)}"`);
  return behavior;
}

function cut(pattern: RegExp, behavior: Behavior, invert = false): PreTokenizer {
  return ({ text, first }) =>
    splitAt(text, pattern, behavior, invert).map(([at, part]) => ({ text: part, first: first && at === 0 }));
}

/** One printable character per byte, as GPT-2 has it: the byte itself where it prints, else one from U+0100 on. */
const characters: readonly string[] = ((): string[] => {
  const prints = (byte: number): boolean => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++));
})();
const utf8 = new TextEncoder();

export function byteLevel(text: string): string {
  let out = '';
  for (const byte of utf8.encode(text)) out += characters[byte];
  return out;
}
