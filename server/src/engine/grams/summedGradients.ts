/**
 * What is said of gradients that are summed over batches of texts, entry by entry beside the weight, all in one pass: a
 * matrix is read once for each batch, in parts that stay in the cache.
 */
import { addTo } from '../../linear/vectors.ts';

/** Entries that are looked at together: of these the sums over eight batches fit a cache of 256 KiB. */
const PART = 1 << 16;

/** Of some entries, from `first` on: the gradient summed over each batch of texts. */
export interface EntrySums {
  first: number;
  /** By batch. */
  sums: readonly Float32Array[];
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
  /** |r| of all entries, a few after others. */
  parts: { first: number; rests: Float32Array[] }[];
}

/**
 * @param weight in the order of the entries
 * @param sums of all entries; written over by what is left without them
 * @param total of the batches; made here where it is not known
 */
export function summedGradients(
  weight: Float32Array,
  sums: readonly EntrySums[],
  count: number,
  total: Float32Array | null = null,
): SummedGradients {
  const numbers = () => new Float64Array(count);
  const found: SummedGradients = {
    total: total ?? addedUp(sums, weight.length),
    ...{ product: numbers(), weighted: numbers() },
    ...{ restWeighted: numbers(), restSize: numbers(), restSquare: numbers() },
    parts: sums.flatMap(({ first, sums: own }) => inParts(first, own)),
  };
  for (const { first, rests } of found.parts) {
    const end = first + rests[0].length;
    const [own, all] = [weight.subarray(first, end), found.total.subarray(first, end)];
    for (const [b, sum] of rests.entries()) readBatch(own, all, sum, b, found);
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
  let [product, weighted, restWeighted] = [0, 0, 0];
  // From where the part before has ended, so that equal numbers in equal order have equal sums.
  let [restSize, restSquare] = [into.restSize[b], into.restSquare[b]];
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
  into.restSize[b] = restSize;
  into.restSquare[b] = restSquare;
}

function inParts(first: number, sums: readonly Float32Array[]): { first: number; rests: Float32Array[] }[] {
  return Array.from({ length: Math.ceil(sums[0].length / PART) }, (_, k) => ({
    first: first + k * PART,
    rests: sums.map((sum) => sum.subarray(k * PART, (k + 1) * PART)),
  }));
}

/** Added up in float64. */
function addedUp(sums: readonly EntrySums[], entries: number): Float32Array {
  const total = new Float32Array(entries);
  for (const { first, sums: own } of sums) {
    for (let start = 0; start < own[0].length; start += PART) {
      const sum = new Float64Array(Math.min(PART, own[0].length - start));
      for (const one of own) addTo(sum, one.subarray(start, start + sum.length));
      total.set(sum, first + start);
    }
  }
  return total;
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
