/**
 * BM25 (Robertson & Walker 1994) in the form of Lucene: how well the words of a row match those of the validation
 * samples, averaged over these as queries.
 *
 *     idf(w)    = ln(1 + (N - n(w) + 1/2) / (n(w) + 1/2))
 *     s(q, d)   = sum over the words w of q of idf(w) f(w, d) / (f(w, d) + k1 (1 - b + b |d| / mean |d|))
 *
 * Words are runs of letters and digits in lower case; a word that stands twice in a query counts twice.
 */
import { defineDataScore } from './dataTypes.ts';
import { nth } from '../lists/nth.ts';

export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

export const bm25 = defineDataScore({
  id: 'bm25',
  version: 1,
  title: 'BM25 with the validation samples',
  question: 'trust_data',
  subject: 'sample',
  unit: '',
  higherMeans: 'keep',
  formula:
    'mean over the validation samples q of sum over w in q of idf(w) f / (f + k1 (1 - b + b |row| / mean length))',
  source: 'Robertson & Walker 1994, as in Lucene',
  status: 'published',
  options: {
    k1: { type: 'number', default: 1.5, least: 0, words: 'How soon a word that is repeated counts no more.' },
    b: { type: 'number', default: 0.75, least: 0, most: 1, words: 'How much a long row is marked down.' },
  },
  texts: true,
  targets: true,
  needs: () => ({}),
  open: ({ k1, b }) => {
    /** Word of a query -> how often it stands in all of them. */
    const asked = new Map<string, number>();
    /** Of each row: its words that are asked for, with how often each stands there. */
    const found: Map<string, number>[] = [];
    const lengths: number[] = [];
    let queries = 0;
    return {
      targets({ facts }) {
        for (const { text } of facts) {
          queries++;
          for (const word of wordsOf(text)) asked.set(word, (asked.get(word) ?? 0) + 1);
        }
      },
      rows({ facts }) {
        for (const { text } of facts) {
          const words = wordsOf(text);
          const own = new Map<string, number>();
          for (const word of words) if (asked.has(word)) own.set(word, (own.get(word) ?? 0) + 1);
          found.push(own);
          lengths.push(words.length);
        }
      },
      numbers() {
        const rows = found.length;
        const mean = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, rows);
        const holding = new Map<string, number>();
        for (const own of found) for (const word of own.keys()) holding.set(word, (holding.get(word) ?? 0) + 1);
        const idf = (word: string) => Math.log(1 + (rows - holding.get(word)! + 0.5) / (holding.get(word)! + 0.5));
        const values = found.map((own, row) => {
          let sum = 0;
          const norm = k1 * (1 - b + (mean > 0 ? (b * nth(lengths, row)) / mean : 0));
          for (const [word, count] of own) sum += (asked.get(word)! * idf(word) * count) / (count + norm);
          return queries > 0 ? sum / queries : 0;
        });
        const strangers = found.filter((own) => own.size === 0).length;
        return {
          values,
          notes: strangers > 0 ? [`${strangers} rows share no word with the validation samples: their value is 0`] : [],
        };
      },
    };
  },
});
