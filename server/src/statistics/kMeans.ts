/**
 * k-means (Lloyd 1982) from k-means++ starts (Arthur & Vassilvitskii 2007), the best of several, and the silhouette
 * (Rousseeuw 1987): how much nearer rows are to their own cluster than to the next one.
 */
import type { Random } from '../random/random.ts';
import type { Rows } from './classifier.ts';

const STARTS = 10;
const MOST_STEPS = 300;

export interface Clustering {
  /** Cluster of each row, numbered by their first rows. */
  labels: Int32Array;
  /** Σ of squared distances to the own centre. */
  inertia: number;
}

/** @param clusters at most the number of different rows @param starts of which the best is kept */
export function kMeans(rows: Rows, clusters: number, random: Random, starts = STARTS): Clustering {
  let best: Clustering | null = null;
  for (let start = 0; start < starts; start++) {
    const found = lloyd(rows, plusPlus(rows, clusters, random));
    if (!best || found.inertia < best.inertia - 1e-12 * best.inertia) best = found;
  }
  return { ...best!, labels: renumbered(best!.labels) };
}

function squaredDistance(rows: Rows, row: number, centres: Float64Array, centre: number): number {
  let sum = 0;
  for (let k = 0; k < rows.width; k++) sum += (rows.data[row * rows.width + k] - centres[centre * rows.width + k]) ** 2;
  return sum;
}

function plusPlus(rows: Rows, clusters: number, random: Random): Float64Array {
  const { data, count, width } = rows;
  const centres = new Float64Array(clusters * width);
  const nearest = new Float64Array(count).fill(Infinity);
  for (let centre = 0; centre < clusters; centre++) {
    let chosen = centre === 0 ? random.integer(count) : 0;
    if (centre > 0) {
      let left = random.uniform() * nearest.reduce((sum, value) => sum + value, 0);
      for (chosen = 0; chosen < count - 1 && (left -= nearest[chosen]) > 0;) chosen += 1;
    }
    centres.set(data.subarray(chosen * width, (chosen + 1) * width), centre * width);
    for (let i = 0; i < count; i++) nearest[i] = Math.min(nearest[i], squaredDistance(rows, i, centres, centre));
  }
  return centres;
}

/** @param centres are moved */
function lloyd(rows: Rows, centres: Float64Array): Clustering {
  const { data, count, width } = rows;
  const clusters = centres.length / width;
  const labels = new Int32Array(count).fill(-1);
  for (let step = 0; ; step++) {
    let changed = false;
    let inertia = 0;
    for (let i = 0; i < count; i++) {
      let [own, least] = [0, Infinity];
      for (let centre = 0; centre < clusters; centre++) {
        const distance = squaredDistance(rows, i, centres, centre);
        if (distance < least) [own, least] = [centre, distance];
      }
      changed ||= labels[i] !== own;
      labels[i] = own;
      inertia += least;
    }
    if (!changed || step >= MOST_STEPS) return { labels, inertia };
    const sizes = new Float64Array(clusters);
    const moved = new Float64Array(centres.length);
    for (let i = 0; i < count; i++) {
      sizes[labels[i]] += 1;
      for (let k = 0; k < width; k++) moved[labels[i] * width + k] += data[i * width + k];
    }
    // An empty cluster keeps its centre.
    for (let centre = 0; centre < clusters; centre++)
      for (let k = 0; sizes[centre] > 0 && k < width; k++)
        centres[centre * width + k] = moved[centre * width + k] / sizes[centre];
  }
}

function renumbered(labels: Int32Array): Int32Array {
  const seen = new Map<number, number>();
  return labels.map((label) => {
    if (!seen.has(label)) seen.set(label, seen.size);
    return seen.get(label)!;
  });
}

/** Mean over rows, -1 .. 1, and of each row; rows alone in their cluster have 0. Null for fewer than two clusters. */
export function silhouette(rows: Rows, labels: ArrayLike<number>): { mean: number; values: Float64Array } | null {
  const { data, count, width } = rows;
  const clusters = 1 + Math.max(...Array.from(labels));
  const sizes = new Float64Array(clusters);
  for (let i = 0; i < count; i++) sizes[labels[i]] += 1;
  if (sizes.filter((size) => size > 0).length < 2) return null;
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const sums = new Float64Array(clusters);
    for (let j = 0; j < count; j++) {
      let squares = 0;
      for (let k = 0; k < width; k++) squares += (data[i * width + k] - data[j * width + k]) ** 2;
      sums[labels[j]] += Math.sqrt(squares);
    }
    const own = labels[i];
    if (sizes[own] < 2) continue;
    const inside = sums[own] / (sizes[own] - 1);
    let next = Infinity;
    for (let c = 0; c < clusters; c++) if (c !== own && sizes[c] > 0) next = Math.min(next, sums[c] / sizes[c]);
    values[i] = Math.max(inside, next) > 0 ? (next - inside) / Math.max(inside, next) : 0;
  }
  return { mean: values.reduce((sum, value) => sum + value, 0) / count, values };
}
