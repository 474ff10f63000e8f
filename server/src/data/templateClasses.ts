/**
 * Ten kinds of small text tasks, each a template over made-up sentences, for one question: does influence rank training
 * rows of the same kind first? The idea is the class-detection test of DataInf (Kwon et al., ICLR 2024, arXiv
 * 2310.00902); kinds, words and wording are our own. The same seed gives the same rows. To add a kind, add a row to
 * `kinds`.
 */
import { Random } from '../random/random.ts';
import { nth } from '../lists/nth.ts';

export interface TemplateRow {
  /** Name of the kind. */
  class: string;
  text: string;
  answer: string;
}

const words = {
  who: [
    'The baker',
    'My neighbour',
    'A young pilot',
    'The tired nurse',
    'Our teacher',
    'The old captain',
    'A quiet student',
    'The chess player',
  ],
  does: ['paints', 'repairs', 'sells', 'carries', 'hides', 'borrows', 'cleans', 'photographs'],
  what: [
    'a wooden boat',
    'the blue lamp',
    'two heavy boxes',
    'an old guitar',
    'the broken clock',
    'a silver ring',
    'three green chairs',
    'the long ladder',
  ],
  where: [
    'near the river',
    'behind the station',
    'in the garden',
    'under the bridge',
    'at the market',
    'on the roof',
    'beside the school',
    'in the cellar',
  ],
} as const;

const vowels = /[aeiou]/gi;
const listOf = (text: string): string[] => text.split(' ');

/** Name, how it is asked, and what is right. */
const kinds: Readonly<Record<string, { ask: string; answer: (sentence: string) => string }>> = {
  reverse_words: { ask: 'Write the words in reverse order', answer: (s) => listOf(s).toReversed().join(' ') },
  upper_case: { ask: 'Write everything in capital letters', answer: (s) => s.toUpperCase() },
  no_vowels: { ask: 'Leave out all vowels', answer: (s) => s.replace(vowels, '') },
  star_vowels: { ask: 'Put a star in place of every vowel', answer: (s) => s.replace(vowels, '*') },
  numbered: {
    ask: 'Number the words',
    answer: (s) =>
      listOf(s)
        .map((w, i) => `${i + 1}. ${w}`)
        .join(' '),
  },
  initials: {
    ask: 'Give the first letter of each word',
    answer: (s) =>
      listOf(s)
        .map((w) => w[0])
        .join(' '),
  },
  sorted: { ask: 'Sort the words by the alphabet', answer: (s) => listOf(s.toLowerCase()).toSorted().join(' ') },
  doubled: {
    ask: 'Say every word twice',
    answer: (s) =>
      listOf(s)
        .map((w) => `${w} ${w}`)
        .join(' '),
  },
  hyphens: { ask: 'Join the words with hyphens', answer: (s) => listOf(s).join('-') },
  lengths: {
    ask: 'Count the letters of each word',
    answer: (s) =>
      listOf(s)
        .map((w) => w.length)
        .join(' '),
  },
};

export const templateClassNames: readonly string[] = Object.keys(kinds);

/** @param perClass rows of each kind; rows go through the kinds in turn, sentences do not repeat within a kind */
export function templateRows(perClass: number, seed: number, split: string): TemplateRow[] {
  const lists = Object.values(words);
  const sentences = lists.reduce((product, list) => product * list.length, 1);
  const sentence = (index: number): string => {
    let rest = index;
    return lists
      .map((list) => {
        const word = list[rest % list.length];
        rest = Math.floor(rest / list.length);
        return word;
      })
      .join(' ');
  };
  const chosen = Object.keys(kinds).map((name) => sampled(sentences, perClass, seed, name, split));
  const entries = Object.entries(kinds);
  return Array.from({ length: perClass }).flatMap((_, i) =>
    entries.map(([name, { ask, answer }], k) => {
      const text = sentence(nth(nth(chosen, k), i));
      return { class: name, text: `${ask}: ${text}`, answer: answer(text) };
    }),
  );
}

/** Sentences with even numbers are for training, odd ones for validation, so that no sentence of a kind is in both. */
function sampled(sentences: number, count: number, seed: number, name: string, split: string): number[] {
  const order = new Random(seed, `template ${name} ${split}`).permutation(sentences / 2);
  return order.slice(0, count).map((i) => 2 * i + (split === 'train' ? 0 : 1));
}
