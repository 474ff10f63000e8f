/**
 * Okapi BM25 (Robertson & Zaragoza 2009, Foundations and Trends in Information Retrieval 3:333): how well documents
 * match queries by their words alone. For a query word w that stands f times in a document of length L, mean length A,
 * in d of N documents:
 *
 *     idf(w) f (k + 1) / (f + k (1 - b + b L / A)),     idf(w) = ln(1 + (N - d + 0.5) / (d + 0.5)),  k = 1.2, b = 0.75
 *
 * summed over the words of the query, a repeated one counting each time. The idf is Lucene's, which is never negative.
 */

const SATURATION = 1.2;
const LENGTH = 0.75;

/** Runs of letters, marks and digits in lower case. */
export function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** @param documents, queries lists of words @returns documents x queries, row-major */
export function bm25(documents: readonly (readonly string[])[], queries: readonly (readonly string[])[]): Float64Array {
  const [n, m] = [documents.length, queries.length];
  const scores = new Float64Array(n * m);
  const mean = documents.reduce((sum, { length }) => sum + length, 0) / n;
  const counts = documents.map(countsOf);
  const known = new Map<string, number>();
  for (const own of counts) for (const word of own.keys()) known.set(word, (known.get(word) ?? 0) + 1);
  queries.forEach((query, j) => {
    for (const [word, times] of countsOf(query)) {
      const inside = known.get(word);
      if (inside === undefined) continue;
      const idf = Math.log(1 + (n - inside + 0.5) / (inside + 0.5));
      documents.forEach(({ length }, i) => {
        const f = counts[i]?.get(word) ?? 0;
        const size = SATURATION * (1 - LENGTH + (LENGTH * length) / mean);
        const at = i * m + j;
        if (f > 0) scores[at] = (scores[at] ?? 0) + (times * idf * f * (SATURATION + 1)) / (f + size);
      });
    }
  });
  return scores;
}

function countsOf(list: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of list) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
