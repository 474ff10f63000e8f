/** "did you mean" for names. */
import { closest, distance } from 'fastest-levenshtein';

/** ` (did you mean "x"?)`, or nothing when no name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const best = closest(name, known);
  return distance(name, best) <= Math.max(2, name.length / 4) ? ` (did you mean "${best}"?)` : '';
}
