/**
 * N:M sparsity (Mishra et al. 2021, arXiv 2104.08378): at most N of every M consecutive inputs of an output are kept, M
 * - N are zero. Also the selection words of unstructured pruning: all are exact and treat ties by the lower index.
 */

/** A group has to fit into a slab of SparseGPT. */
const LARGEST_GROUP = 64;

export interface Structure {
  /** Kept of every group. */
  n: number;
  /** Size of a group of consecutive columns. */
  m: number;
}

/** `"2:4"` -> { n: 2, m: 4 }; `"unstructured"` -> null. @throws Error that says what is allowed */
export function parseStructure(text: string): Structure | null {
  if (text === 'unstructured') return null;
  const match = /^(\d{1,3}):(\d{1,3})$/.exec(text);
  const [n, m] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (m >= 2 && m <= LARGEST_GROUP && n >= 1 && n < m) return { n, m };
  throw new Error(
    `"${text}" is not a structure: use unstructured, 2:4, 4:8 or another N:M that keeps N of every M weights, 1 <= N < M <= ${LARGEST_GROUP}`,
  );
}

/** N:M with the same M whose share of zeros is nearest to `sparsity`; an N of M means that nothing is removed. */
export function nearestStructure({ m }: Structure, sparsity: number): Structure {
  return { n: Math.round((1 - sparsity) * m), m };
}

/**
 * The M - N smallest of every group of M columns of a row.
 * @param metric one row, or `columns` of one; its length is a multiple of M
 * @param mark called with the index of each entry to remove
 */
export function markSmallestOfGroups(metric: Float32Array, { n, m }: Structure, mark: (index: number) => void): void {
  const order: number[] = [];
  for (let start = 0; start < metric.length; start += m) {
    order.length = 0;
    for (let i = start; i < start + m; i++) order.push(i);
    order.sort((a, b) => metric[a] - metric[b] || a - b);
    for (let i = 0; i < m - n; i++) mark(order[i]);
  }
}

/** The `count` smallest entries. @param scratch as long as `metric`, overwritten */
export function markSmallest(
  metric: Float32Array,
  count: number,
  scratch: Float32Array,
  mark: (index: number) => void,
): void {
  if (count <= 0) return;
  if (count >= metric.length) {
    for (let i = 0; i < metric.length; i++) mark(i);
    return;
  }
  scratch.set(metric);
  scratch.sort();
  const threshold = scratch[count - 1];
  let below = 0;
  while (below < count && scratch[below] < threshold) below++;
  let ties = count - below;
  for (let i = 0; i < metric.length; i++) {
    if (metric[i] < threshold) mark(i);
    else if (metric[i] === threshold && ties > 0) {
      ties--;
      mark(i);
    }
  }
}

/**
 * The value at position `index` of the ascending order, in two counting passes over the bits.
 * @param values none below 0, none NaN
 */
export function valueAt(values: Float32Array, index: number): number {
  // For numbers from 0 up the order of the bits is the order of the numbers.
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) high[bits[i] >>> 16]++;
  let bucket = 0;
  let before = 0;
  while (before + high[bucket] <= index) before += high[bucket++];
  const low = new Uint32Array(1 << 16);
  for (let i = 0; i < bits.length; i++) if (bits[i] >>> 16 === bucket) low[bits[i] & 0xffff]++;
  let rest = 0;
  while (before + low[rest] <= index) before += low[rest++];
  return new Float32Array(Uint32Array.of(((bucket << 16) | rest) >>> 0).buffer)[0];
}
