/**
 * The most probable way to cut a word into pieces of a unigram model (Kudo 2018, arXiv 1804.10959), by dynamic
 * programming from left to right, as the Rust library does it: of equal paths the one found first stays; a character
 * without a piece costs ten more than the worst piece; neighbours without a piece count as one.
 */
import { nth } from '../../lists/nth.ts';

const UNKNOWN_PENALTY = 10;

/** @returns the pieces of a word, texts that are no piece among them */
export function unigram(
  pieces: readonly (readonly [piece: string, score: number])[],
  ids: ReadonlyMap<string, number>,
  unknown: number | null,
): (word: string) => string[] {
  const longest = pieces.reduce((most, [piece]) => Math.max(most, piece.length), 0);
  const worst = pieces.reduce((least, [, score]) => Math.min(least, score), Infinity) - UNKNOWN_PENALTY;
  return (word) => {
    const score = new Float64Array(word.length + 1);
    const from = new Int32Array(word.length + 1).fill(-1);
    const piece = new Int32Array(word.length + 1).fill(-1);
    const offer = (start: number, end: number, id: number, gain: number): void => {
      const total = nth(score, start) + gain;
      if (nth(from, end) >= 0 && total <= nth(score, end)) return;
      score[end] = total;
      from[end] = start;
      piece[end] = id;
    };
    for (let start = 0; start < word.length;) {
      const width = word.codePointAt(start)! > 0xffff ? 2 : 1;
      let single = false;
      for (let end = start + 1; end <= Math.min(word.length, start + longest); end++) {
        const id = ids.get(word.slice(start, end));
        if (id === undefined) continue;
        offer(start, end, id, nth(pieces, id)[1]);
        single ||= end - start === width;
      }
      if (!single) {
        if (unknown === null)
          throw new Error(`its model has no unknown token for ${JSON.stringify(word.slice(start, start + width))}`);
        offer(start, start + width, unknown, worst);
      }
      start += width;
    }
    const found: string[] = [];
    let unknownEnd = -1;
    for (let end = word.length; end > 0; end = nth(from, end)) {
      const start = from[end];
      if (piece[end] !== unknown) {
        found.push(word.slice(start, end));
        unknownEnd = -1;
      } else if (unknownEnd < 0) {
        unknownEnd = end;
        found.push(word.slice(start, end));
      } else {
        found[found.length - 1] = word.slice(start, unknownEnd);
      }
    }
    return found.reverse();
  };
}
