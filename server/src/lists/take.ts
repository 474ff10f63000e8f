/**
 * The first elements of a list as a tuple, for taking apart a list whose length is known by construction: the axes of a
 * tensor of known rank, the parts of a split.
 */

interface Tuples<T> {
  1: [T];
  2: [T, T];
  3: [T, T, T];
  4: [T, T, T, T];
  5: [T, T, T, T, T];
  6: [T, T, T, T, T, T];
}

/** @throws RangeError where the list is shorter, which is a defect of the caller */
export function take<T, N extends keyof Tuples<T>>(list: readonly T[], count: N): Tuples<T>[N] {
  if (list.length < count) throw new RangeError(`a list of ${list.length} has no ${count} elements`);
  return list.slice(0, count) as Tuples<T>[N];
}
