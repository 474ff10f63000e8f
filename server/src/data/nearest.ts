/** "Did you mean": the known word that is closest to the one that was written. */
import { closest, distance } from 'fastest-levenshtein';

/** The nearest of `known` when it is near enough to be a slip of the pen (a third of the letters), else null. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const lower = word.toLowerCase();
  const same = known.find((name) => name.toLowerCase() === lower);
  if (same !== undefined) return same;
  const best = closest(word, known);
  return distance(word, best) <= Math.max(1, Math.ceil(word.length / 3)) ? best : null;
}

/** ` (did you mean "label"?)`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  return best === null ? '' : ` (did you mean "${best}"?)`;
}

/** `a, b, c`, shortened after `limit` names. */
export function listed(names: readonly string[], limit = 20): string {
  if (names.length === 0) return 'none';
  if (names.length <= limit) return names.join(', ');
  return `${names.slice(0, limit).join(', ')} and ${names.length - limit} more`;
}
