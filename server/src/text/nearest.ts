/**
 * "Did you mean": the known word fewest insertions, deletions and replacements away (Levenshtein 1966) from the one
 * that was written.
 */
import { closest, distance } from 'fastest-levenshtein';

const MOST_SHOWN = 3;

/** The nearest of `known`, however far; the first of equals. `known` has at least one word. */
export function closestTo(word: string, known: readonly string[]): string {
  return closest(word, known);
}

/**
 * The nearest of `known` when it is near enough to be a slip of the pen, else null: up to a third of the letters, and a
 * swap of two letters (two edits) wherever the word is longer than that. Another case is no difference.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const lower = word.toLowerCase();
  const same = known.find((name) => name.toLowerCase() === lower);
  if (same !== undefined) return same;
  const best = closest(word, known);
  return distance(word, best) <= Math.max(Math.min(2, word.length - 1), Math.floor(word.length / 3)) ? best : null;
}

/** ` (did you mean "label"?)`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  return best === null ? '' : ` (did you mean "${best}"?)`;
}

/** `; nearest of its 272 tensors: a, b, c`, for an error about a tensor that is not there. */
export function nearestNames(name: string, known: Iterable<string>): string {
  const byDistance = [...known].map((other) => ({ other, far: distance(name, other) })).sort((a, b) => a.far - b.far);
  if (byDistance.length === 0) return '; it has none';
  const shown = byDistance.slice(0, MOST_SHOWN).map(({ other }) => other);
  return `; nearest of its ${byDistance.length} tensors: ${shown.join(', ')}`;
}
