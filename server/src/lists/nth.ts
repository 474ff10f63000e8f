/**
 * An element at an index that lies within the list by construction: an index of another list of the same length, a
 * place that a search has just returned. Where an element may be missing, ask for it plainly and say what then.
 *
 * Not for loops over millions of numbers: one function for lists of every kind is slower than a plain read.
 */

/** @throws RangeError where the list has no such element, which is a defect of the caller */
export function nth<T>(list: ArrayLike<T>, index: number): T {
  const element = list[index];
  if (element === undefined) throw new RangeError(`a list of ${list.length} has no element ${index}`);
  return element;
}
