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

/** A matrix of 65,536 kinds of entry tells two ranks apart that differ by 1.5e-5. */
const BINS = 1 << 16;

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
 * Standardised size before the sigmoid, scale |x| - offset: -Infinity for a matrix of zeros, whose rank is 0; 0 where
 * all are alike.
 */
export interface Standard {
  mean: number;
  scale: number;
  offset: number;
}

export function standard(values: ArrayLike<number>): Standard {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.abs(values[i]);
  const mean = sum / n;
  if (mean === 0) return { mean, scale: 0, offset: Infinity };
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const away = Math.abs(values[i]) - mean;
    squares += away * away;
  }
  if (squares === 0) return { mean, scale: 0, offset: 0 };
  const scale = Math.sqrt((n - 1) / squares);
  return { mean, scale, offset: mean * scale };
}

/** @param visit called for each claimed entry */
export function claim(weight: ArrayLike<number>, sum: ArrayLike<number>, visit: (at: number) => void): Claimed {
  const [w, s] = [standard(weight), standard(sum)];
  const n = weight.length;
  const [below, own] = [new Float64Array(BINS), new Float64Array(BINS)];
  const shares = new Float64Array(n);
  let [count, all] = [0, 0];
  for (let i = 0; i < n; i++) {
    const a = Math.abs(weight[i]) * w.scale - w.offset;
    const b = Math.abs(sum[i]) * s.scale - s.offset;
    const I = 1 / (1 + Math.exp(-a));
    const G = 1 / (1 + Math.exp(-b));
    below[Math.min(BINS - 1, Math.floor(I * BINS))]++;
    own[Math.min(BINS - 1, Math.floor(G * BINS))]++;
    if (!(a < b)) continue;
    shares[count++] = G / (I + G);
    all += G / (I + G);
    visit(i);
  }
  const mean = all / count;
  let mask = 0;
  for (let i = 0; i < count; i++) mask += Math.min(1, shares[i] / mean);
  return { count, mask, shuffled: expected(below, own, w, s), weight: w.mean * n, sum: s.mean * n };
}

/** How many entries are claimed, and nothing else. */
export function claimedCount(weight: ArrayLike<number>, w: Standard, sum: ArrayLike<number>): number {
  const s = standard(sum);
  let count = 0;
  for (let i = 0; i < weight.length; i++) {
    if (Math.abs(weight[i]) * w.scale - w.offset < Math.abs(sum[i]) * s.scale - s.offset) count++;
  }
  return count;
}

/** Mean number of pairs with I < G over all orders of the entries; half of those that share a bin. */
function expected(below: Float64Array, own: Float64Array, w: Standard, s: Standard): number {
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
