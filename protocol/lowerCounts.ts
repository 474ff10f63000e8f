/** Ranks that do not depend on the scale: how many of the values are less than each; equal ones have the same. Pure. */
export function lowerCounts(values: ArrayLike<number>): Float64Array {
  const counts = new Float64Array(values.length);
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  let lower = 0;
  let last: number | undefined;
  order.forEach((i, position) => {
    const value = values[i]!;
    if (last !== undefined && value > last) lower = position;
    last = value;
    counts[i] = lower;
  });
  return counts;
}
