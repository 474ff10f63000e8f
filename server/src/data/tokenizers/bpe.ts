/**
 * Byte-pair encoding (Sennrich, Haddow and Birch 2016, arXiv 1508.07909) of one word, as the Rust library does it: the
 * pair of neighbours whose merge comes first in the file is joined, the leftmost of equals first. A character outside
 * the vocabulary becomes its bytes where these are tokens, else the unknown token; where there is none it is dropped
 * before any merge.
 */
import { MinHeap } from './minHeap.ts';

export interface BpeSettings {
  vocab: ReadonlyMap<string, number>;
  merges: readonly (readonly [left: string, right: string])[];
  unknown: number | null;
  fuseUnknown: boolean;
  byteFallback: boolean;
  ignoreMerges: boolean;
  /** Stands before every piece that does not begin a word. */
  continuingPrefix: string;
  /** Stands behind the piece that ends a word. */
  endSuffix: string;
}

/** Ids are below this, so that two fit into one number. */
const IDS = 2 ** 26;
const CACHED_WORDS = 20_000;
const LONGEST_CACHED_WORD = 256;

/** @throws Error for a merge of tokens that the vocabulary lacks */
export function bpe(settings: BpeSettings): (word: string) => readonly number[] {
  const { vocab, merges, ignoreMerges } = settings;
  const ranks = new Map<number, number>();
  const results: number[] = [];
  merges.forEach(([left, right], rank) => {
    const joined = left + right.slice(settings.continuingPrefix.length);
    const [a, b, ab] = [vocab.get(left), vocab.get(right), vocab.get(joined)];
    if (a === undefined || b === undefined || ab === undefined)
      throw new Error(`its merge ${rank} joins "${left}" and "${right}", and the vocabulary lacks one of the three`);
    ranks.set(a * IDS + b, rank);
    results.push(ab);
  });
  const cache = new Map<string, readonly number[]>();
  return (word) => {
    const known = cache.get(word);
    if (known) return known;
    const whole = ignoreMerges ? vocab.get(word) : undefined;
    const ids = whole === undefined ? merged(charactersOf(word, settings), ranks, results) : [whole];
    if (word.length < LONGEST_CACHED_WORD) {
      if (cache.size >= CACHED_WORDS) cache.clear();
      cache.set(word, ids);
    }
    return ids;
  };
}

function charactersOf(word: string, settings: BpeSettings): number[] {
  const { vocab, unknown, fuseUnknown, byteFallback, continuingPrefix, endSuffix } = settings;
  const ids: number[] = [];
  let pending = false;
  const characters = Array.from(word);
  characters.forEach((character, i) => {
    const piece = (i > 0 ? continuingPrefix : '') + character + (i === characters.length - 1 ? endSuffix : '');
    const id = vocab.get(piece);
    if (id !== undefined) {
      if (pending) ids.push(unknown!);
      pending = false;
      ids.push(id);
      return;
    }
    const bytes = byteFallback ? byteTokens(piece, vocab) : null;
    if (bytes) {
      ids.push(...bytes);
    } else if (unknown !== null) {
      if (pending && !fuseUnknown) ids.push(unknown);
      pending = true;
    }
  });
  if (pending) ids.push(unknown!);
  return ids;
}

const utf8 = new TextEncoder();

/** Tokens `<0x00>` to `<0xFF>` of a text; null where one is missing. */
export function byteTokens(text: string, vocab: ReadonlyMap<string, number>): number[] | null {
  const ids: number[] = [];
  for (const byte of utf8.encode(text)) {
    const id = vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return null;
    ids.push(id);
  }
  return ids;
}

function merged(ids: number[], ranks: ReadonlyMap<number, number>, results: readonly number[]): number[] {
  if (ids.length < 2) return ids;
  const next = ids.map((_, i) => (i + 1 < ids.length ? i + 1 : -1));
  const previous = ids.map((_, i) => i - 1);
  const gone = new Uint8Array(ids.length);
  const queue = new MinHeap();
  const offer = (left: number): void => {
    if (left < 0 || next[left] < 0) return;
    const rank = ranks.get(ids[left] * IDS + ids[next[left]]);
    if (rank !== undefined) queue.push(rank * IDS + left);
  };
  for (let i = 0; i + 1 < ids.length; i++) offer(i);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const left = key % IDS;
    const right = next[left];
    if (gone[left] || right < 0) continue;
    const rank = ranks.get(ids[left] * IDS + ids[right]);
    if (rank === undefined || results[rank] !== results[(key - left) / IDS]) continue;
    ids[left] = results[rank];
    gone[right] = 1;
    next[left] = next[right];
    if (next[right] >= 0) previous[next[right]] = left;
    offer(previous[left]);
    offer(left);
  }
  return ids.filter((_, i) => !gone[i]);
}
