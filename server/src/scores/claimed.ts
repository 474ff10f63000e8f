/**
 * Which weights of a matrix a task claims (SPIDER, arXiv 2411.10928, and the code of its authors):
 *
 *   rank(A) = sigmoid((|A| - mean |A|) / std |A|)      over the whole matrix, std unbiased; 0 where A is zero, 1/2 where |A| is constant
 *   I = rank(W)      G = rank(S), S the signed sum of gradients      claimed where I < G, with C = G / (I + G)
 *   M = min(1, C / mean of the C above zero), 0 where nothing is claimed
 *
 * Both ranks are standardised in the matrix, so about half of it is claimed whatever the task: what W and S in random
 * order would give stands beside it.
 */

/** So many kinds of entry tell two standardised sizes apart that differ by 3e-5 near their mean. */
const BINS = 1 << 16;
/** A little less, so that the largest size is of the last kind. */
const HALF_OF_THE_KINDS = BINS / 2 - 1e-6;

export interface Claimed {
  /** Number of claimed entries. */
  count: number;
  /** Sum of M. */
  mask: number;
  /** Expected count with the entries of S in random order. */
  shuffled: number;
  /** Sums of |W| and of |S|. */
  weight: number;
  sum: number;
}

/**
 * Standardised size before the sigmoid, scale |x| - offset: far below everything for a matrix of zeros, whose rank is
 * 0; 0 where all are alike.
 */
interface Standard {
  mean: number;
  scale: number;
  offset: number;
}

/** A spread below this share of the squares is rounding: all are alike. */
const ALIKE = 1e-10;

/** Of n numbers from the sum of their sizes and of their squares. */
function standardOf(n: number, sum: number, squares: number): Standard {
  const mean = sum / n;
  if (mean === 0) return { mean, scale: 0, offset: Number.MAX_VALUE };
  const spread = squares - n * mean * mean;
  if (spread <= ALIKE * squares) return { mean, scale: 0, offset: 0 };
  const scale = Math.sqrt((n - 1) / spread);
  return { mean, scale, offset: mean * scale };
}

function standard(values: ArrayLike<number>): Standard {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    sum += size;
    squares += size * size;
  }
  return standardOf(values.length, sum, squares);
}

/** @param visit called for each claimed entry */
export function claim(weight: ArrayLike<number>, sum: ArrayLike<number>, visit?: (at: number) => void): Claimed {
  const [w, s] = [standard(weight), standard(sum)];
  const n = weight.length;
  const shares = new Float32Array(n);
  const { count, all } = claimedShares(weight, sum, w, s, shares, visit);
  const shuffled = expected(kindsOf(weight, w), kindsOf(sum, s), w, s);
  return { count, mask: masked(shares, count, all / count), shuffled, weight: w.mean * n, sum: s.mean * n };
}

/** Steps to 1 of the table of the sigmoid, and where it ends: outside it is 0 or 1 to seven digits. */
const [STEPS, END] = [1024, 16];
const table = Float64Array.from({ length: 2 * STEPS * END + 1 }, (_, i) => 1 / (1 + Math.exp(END - i / STEPS)));

/** Between two entries of the table a straight line: right to 1.2e-8, and far less work than an exponential. */
function sigmoid(x: number): number {
  if (x <= -END) return 0;
  if (x >= END) return 1;
  const at = (x + END) * STEPS;
  const low = at | 0;
  return table[low] + (at - low) * (table[low + 1] - table[low]);
}

/** C of each claimed entry, one after the other, and its sum. */
function claimedShares(
  weight: ArrayLike<number>,
  sum: ArrayLike<number>,
  w: Standard,
  s: Standard,
  shares: Float32Array,
  visit: ((at: number) => void) | undefined,
): { count: number; all: number } {
  let [count, all] = [0, 0];
  for (let i = 0; i < weight.length; i++) {
    const a = Math.abs(weight[i]) * w.scale - w.offset;
    const b = Math.abs(sum[i]) * s.scale - s.offset;
    if (!(a < b)) continue;
    const [rank, other] = [sigmoid(b), sigmoid(a)];
    const share = rank / (other + rank);
    shares[count++] = share;
    all += share;
    if (visit) visit(i);
  }
  return { count, all };
}

/** Sum of min(1, C / mean), without a branch. */
function masked(shares: Float32Array, count: number, mean: number): number {
  if (count === 0) return 0;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += shares[i] + mean - Math.abs(shares[i] - mean);
  return sum / 2 / mean;
}

/** Number of entries of each kind. */
function kindsOf(values: ArrayLike<number>, { scale, offset }: Standard): Uint32Array {
  const kinds = new Uint32Array(BINS);
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]) * scale - offset;
    // x / (1 + |x|) stands for the sigmoid, for it orders sizes alike and takes no exponential.
    kinds[((size / (1 + Math.abs(size)) + 1) * HALF_OF_THE_KINDS) | 0]++;
  }
  return kinds;
}

/** What is left of the summed gradient without each batch of texts: sizes of a few entries, from `first` on. */
interface Part {
  first: number;
  /** By batch. */
  rests: readonly Float32Array[];
}

/**
 * How many entries are claimed without each batch. Each loop over entries is a function of its own, for the compiler
 * leaves a loop within loops half compiled.
 * @param parts all entries
 * @param sizes sum of the rests, by batch
 * @param squares of their squares
 */
export function claimedWithout(
  weight: ArrayLike<number>,
  parts: readonly Part[],
  sizes: Float64Array,
  squares: Float64Array,
): Float64Array {
  const own = standard(weight);
  const counts = new Float64Array(sizes.length);
  const rests = Array.from(sizes, (sum, b) => standardOf(weight.length, sum, squares[b]));
  const standardised = new Float64Array(Math.max(...parts.map((part) => part.rests[0].length)));
  for (const part of parts) {
    standardise(weight, part.first, part.rests[0].length, own, standardised);
    for (const [b, rest] of part.rests.entries()) counts[b] += countBelow(standardised, rest, rests[b]);
  }
  return counts;
}

/** Into the first places of `into`. */
function standardise(
  values: ArrayLike<number>,
  first: number,
  size: number,
  { scale, offset }: Standard,
  into: Float64Array,
): void {
  for (let i = 0; i < size; i++) into[i] = Math.abs(values[first + i]) * scale - offset;
}

const difference = new Float32Array(1);
const sign = new Int32Array(difference.buffer);

/**
 * By the bit of the sign, without a branch: half of all go either way, and a branch that cannot be foreseen costs more
 * than the rest.
 */
function countBelow(standardised: Float64Array, rest: Float32Array, { scale, offset }: Standard): number {
  let count = 0;
  for (let i = 0; i < rest.length; i++) {
    difference[0] = standardised[i] - (rest[i] * scale - offset);
    count -= sign[0] >> 31;
  }
  return count;
}

/** Mean number of pairs with I < G over all orders of the entries; half of those that share a bin. */
function expected(below: Uint32Array, own: Uint32Array, w: Standard, s: Standard): number {
  const n = below.reduce((a, b) => a + b, 0);
  // All of one kind: nothing within a bin is below anything else.
  const shared = w.scale === 0 && s.scale === 0 ? 0 : 0.5;
  let [sum, smaller] = [0, 0];
  for (let i = 0; i < BINS; i++) {
    sum += own[i] * (smaller + shared * below[i]);
    smaller += below[i];
  }
  return sum / n;
}
