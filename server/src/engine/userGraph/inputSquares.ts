/** Squared inputs of a graph's matrices, by the axis that is multiplied. */

/**
 * Adds the squares of x, entry by entry of the multiplied axis, to `sums`.
 * @param positions rows that count where x has `padded` of them; rows of an x of another form all count
 * @throws Error where x has not the form that the matrix takes
 */
export function addSquares(
  sums: Float64Array,
  { dims, data }: { dims: readonly number[]; data: ArrayLike<number> },
  axis: 1 | 2,
  { positions, padded }: { positions: number; padded: number },
): void {
  const columns = sums.length;
  const [last, before] = [dims.at(-1) ?? 0, dims.at(-2) ?? 1];
  const [width, rows] = axis === 1 ? [last, before] : [before, last];
  if (width !== columns) throw new Error(`its input is [${dims.join(', ')}], not of ${columns} numbers a position`);
  const counted = rows === padded ? positions : rows;
  for (let block = 0; block < data.length; block += last * before) {
    for (let t = 0; t < counted; t++) {
      for (let j = 0; j < columns; j++) {
        const x = data[block + (axis === 1 ? t * columns + j : j * rows + t)];
        sums[j] += x * x;
      }
    }
  }
}
