/**
 * Mini-batch k-means (Sculley 2010): centres move towards the means of random batches, each centre by the share that
 * the batch has of all rows it was given so far. Starts are drawn by k-means++ (Arthur & Vassilvitskii 2007) from three
 * batches of rows. Own code because the registry's packages have Lloyd's algorithm alone, which reads every row in each
 * round; scikit-learn's `MiniBatchKMeans.partial_fit` is its reference in the tests.
 */
import type { Random } from '../random/random.ts';
import type { Rows } from './classifier.ts';

export interface Centres {
  /** clusters x width, row-major. */
  data: Float64Array;
  count: number;
  /** Rows that each centre was given so far. */
  seen: Float64Array;
}

export interface KMeansOptions {
  clusters: number;
  random: Random;
  batch?: number;
  steps?: number;
}

/** @returns centres, of which some may be given no row at all; at most one for each row */
export function miniBatchKMeans(rows: Rows, { clusters, random, batch = 256, steps = 100 }: KMeansOptions): Centres {
  const size = Math.min(batch, rows.count);
  const pool = random.subset(rows.count, Math.min(rows.count, Math.max(3 * size, 3 * clusters)));
  const centres = firstCentres(rows, pool, Math.min(clusters, rows.count), random);
  for (let step = 0; step < steps; step++) {
    moveCentres(
      centres,
      rows,
      Array.from({ length: size }, () => random.integer(rows.count)),
    );
  }
  return centres;
}

/** Each centre is a row, drawn in proportion to its squared distance from the centres before it. */
function firstCentres({ data, width }: Rows, pool: readonly number[], count: number, random: Random): Centres {
  const centres = { data: new Float64Array(count * width), count, seen: new Float64Array(count) };
  const distance = new Float64Array(pool.length).fill(Infinity);
  let chosen = random.integer(pool.length);
  for (let k = 0; k < count; k++) {
    const start = pool[chosen] * width;
    centres.data.set(data.subarray(start, start + width), k * width);
    let total = 0;
    pool.forEach((row, i) => {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += (data[row * width + j] - data[start + j]) ** 2;
      distance[i] = Math.min(distance[i], sum);
      total += distance[i];
    });
    let left = random.uniform() * total;
    chosen = distance.findIndex((own) => (left -= own) < 0);
    if (chosen < 0) chosen = random.integer(pool.length);
  }
  return centres;
}

/** One step: the rows of a batch go to their nearest centres, which move to the mean of all rows they were given. */
export function moveCentres(centres: Centres, rows: Rows, batch: readonly number[]): void {
  const { data, count, seen } = centres;
  const { width } = rows;
  const given = nearestCentres(centres, rows, batch);
  const sums = new Float64Array(count * width);
  const counts = new Float64Array(count);
  batch.forEach((row, i) => {
    const k = given[i];
    counts[k]++;
    for (let j = 0; j < width; j++) sums[k * width + j] += rows.data[row * width + j];
  });
  for (let k = 0; k < count; k++) {
    if (counts[k] === 0) continue;
    const before = seen[k];
    seen[k] += counts[k];
    for (let j = k * width; j < (k + 1) * width; j++) data[j] = (data[j] * before + sums[j]) / seen[k];
  }
}

/** Index of the nearest centre for each of these rows. */
export function nearestCentres({ data, count }: Centres, rows: Rows, chosen: readonly number[]): Int32Array {
  const { width } = rows;
  const squares = new Float64Array(count);
  for (let k = 0; k < count; k++) for (let j = 0; j < width; j++) squares[k] += data[k * width + j] ** 2 / 2;
  return Int32Array.from(chosen, (row) => {
    let [best, least] = [0, Infinity];
    for (let k = 0; k < count; k++) {
      let product = 0;
      for (let j = 0, a = row * width, b = k * width; j < width; j++) product += rows.data[a++] * data[b++];
      const distance = squares[k] - product;
      if (distance < least) [best, least] = [k, distance];
    }
    return best;
  });
}
