/** "did you mean" for names. */
import { closest, distance } from 'fastest-levenshtein';

const MOST_SHOWN = 3;

/** ` (did you mean "x"?)`, or nothing when no name is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const best = closest(name, known);
  return distance(name, best) <= Math.max(2, name.length / 4) ? ` (did you mean "${best}"?)` : '';
}

/** The known name that is nearest. */
export function nearest(name: string, known: readonly string[]): string {
  return closest(name, known);
}

/** `; nearest of its 272 tensors: a, b, c`, for an error about a tensor that is not there. */
export function nearestNames(name: string, known: Iterable<string>): string {
  const byDistance = [...known].map((other) => ({ other, far: distance(name, other) })).sort((a, b) => a.far - b.far);
  if (byDistance.length === 0) return '; it has none';
  const shown = byDistance.slice(0, MOST_SHOWN).map(({ other }) => other);
  return `; nearest of its ${byDistance.length} tensors: ${shown.join(', ')}`;
}
