/**
 * What is said of gradients that are summed over batches of texts, entry by entry beside the weight, all in one pass.
 */

/** Of some entries, from `first` on, and some batches of texts, from `batch` on: their sums [batches, width]. */
export interface EntrySums {
  first: number;
  width: number;
  batch: number;
  sums: Float32Array;
}

export interface SummedGradients {
  /** Over all texts. */
  total: Float32Array;
  /** By batch: sums over the entries of W g and |W g|, g summed over the texts of the batch. */
  product: Float64Array;
  weighted: Float64Array;
  /** By batch, with r what is left of the total without it: sums of |W r|, |r| and r^2. */
  restWeighted: Float64Array;
  restSize: Float64Array;
  restSquare: Float64Array;
  /** |r| of all entries and batches in the place of their sums. */
  rests: readonly EntrySums[];
}

/**
 * @param weight in the order of the entries
 * @param total of all batches
 * @param parts all entries; sums are written over by what is left without them
 */
export function summedGradients(
  weight: Float32Array,
  total: Float32Array,
  parts: readonly EntrySums[],
  count: number,
): SummedGradients {
  const numbers = () => new Float64Array(count);
  const found: SummedGradients = {
    total,
    ...{ product: numbers(), weighted: numbers() },
    ...{ restWeighted: numbers(), restSize: numbers(), restSquare: numbers() },
    rests: parts,
  };
  for (const { first, width, batch, sums } of parts) {
    const [own, all] = [weight.subarray(first, first + width), total.subarray(first, first + width)];
    for (let b = 0; b * width < sums.length; b++) {
      readBatch(own, all, sums.subarray(b * width, (b + 1) * width), batch + b, found);
    }
  }
  return found;
}

/** A function of its own: the compiler leaves loops within loops half compiled. @param sum becomes |total - sum| */
function readBatch(
  weight: Float32Array,
  total: Float32Array,
  sum: Float32Array,
  b: number,
  into: SummedGradients,
): void {
  let [product, weighted, restWeighted, restSize, restSquare] = [0, 0, 0, 0, 0];
  for (let i = 0; i < sum.length; i++) {
    const along = weight[i] * sum[i];
    const rest = Math.abs(total[i] - sum[i]);
    product += along;
    weighted += Math.abs(along);
    restWeighted += Math.abs(weight[i]) * rest;
    restSize += rest;
    restSquare += rest * rest;
    sum[i] = rest;
  }
  into.product[b] += product;
  into.weighted[b] += weighted;
  into.restWeighted[b] += restWeighted;
  into.restSize[b] += restSize;
  into.restSquare[b] += restSquare;
}

/** |W G| and G^2 summed over the entries, G over all texts. */
export function ofTotal(weight: Float32Array, total: Float32Array): { weighted: number; square: number } {
  let [weighted, square] = [0, 0];
  for (let i = 0; i < weight.length; i++) {
    weighted += Math.abs(weight[i] * total[i]);
    square += total[i] * total[i];
  }
  return { weighted, square };
}
