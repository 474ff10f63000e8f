/**
 * Adjusted p-values of Benjamini & Hochberg (1995): of the tests whose adjusted value is at most q, a share of q is
 * expected to be false. Valid for independent tests and for those that depend on each other positively.
 */

/** @param p undefined tests are null, stay so and are not counted */
export function benjaminiHochberg(p: readonly (number | null)[]): (number | null)[] {
  const order = p.flatMap((value, i) => (value === null ? [] : [i])).sort((a, b) => p[b]! - p[a]!);
  const adjusted = new Array<number | null>(p.length).fill(null);
  let least = 1;
  order.forEach((i, at) => {
    least = Math.min(least, (p[i]! * order.length) / (order.length - at));
    adjusted[i] = least;
  });
  return adjusted;
}
