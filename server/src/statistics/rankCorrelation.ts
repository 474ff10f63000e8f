/** Spearman's rank correlation: Pearson's correlation of the ranks, equal values sharing the mean of theirs. */

/** @returns -1 .. 1; null where one of the lists has fewer than two values or all of them equal */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  if (a.length !== b.length) throw new Error(`rank correlation of ${a.length} and ${b.length} values`);
  return pearson(ranks(a), ranks(b));
}

/** From 1; equal values get the mean of the ranks that they take together. */
export function ranks(values: ArrayLike<number>): Float64Array {
  if (values.length <= COUNTED) return countedRanks(values);
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = new Float64Array(order.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) found[order[i]] = (start + end + 1) / 2;
    start = end;
  }
  return found;
}

/** Short lists are counted through, which is several times faster than sorting them. */
const COUNTED = 64;

function countedRanks(values: ArrayLike<number>): Float64Array {
  const own = Float64Array.from(values);
  const found = new Float64Array(own.length);
  for (let i = 0; i < own.length; i++) {
    let [below, equal] = [0, 0];
    const value = own[i];
    for (let j = 0; j < own.length; j++) {
      if (own[j] < value) below++;
      else if (own[j] === value) equal++;
    }
    found[i] = below + (equal + 1) / 2;
  }
  return found;
}

/** -1 .. 1; null where one of the lists has fewer than two values or all of them equal. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  let [meanA, meanB] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    meanA += a[i] / a.length;
    meanB += b[i] / a.length;
  }
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] - meanA, b[i] - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA > 0 && squareB > 0 ? product / Math.sqrt(squareA * squareB) : null;
}
