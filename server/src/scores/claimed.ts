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
export interface Standard {
  mean: number;
  scale: number;
  offset: number;
}

/** A spread below this share of the squares is rounding: all are alike. */
const ALIKE = 1e-10;

/** Of n numbers from the sum of their sizes and of their squares. */
export function standardOf(n: number, sum: number, squares: number): Standard {
  const mean = sum / n;
  if (mean === 0) return { mean, scale: 0, offset: Number.MAX_VALUE };
  const spread = squares - n * mean * mean;
  if (spread <= ALIKE * squares) return { mean, scale: 0, offset: 0 };
  const scale = Math.sqrt((n - 1) / spread);
  return { mean, scale, offset: mean * scale };
}

export function standard(values: ArrayLike<number>): Standard {
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
