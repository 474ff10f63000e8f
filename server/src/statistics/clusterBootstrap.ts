/**
 * The cluster bootstrap (Davison & Hinkley 1997, 3.8): rows that belong together, such as fine-tunes of one base model,
 * are drawn together. Intervals of differences of means that do not take such rows for independent; each holds for its
 * own pair, not for all pairs at once.
 */
import type { Random } from '../random/random.ts';
import { percentileInterval } from './intervals.ts';
import type { Interval } from './intervals.ts';

const REPLICATES = 2000;

/**
 * @param groups group of each row, 0 .. count - 1
 * @param clusters cluster of each row, 0 .. clusters - 1
 * @returns for every pair a before b the interval of b's mean less a's; null where a group is missing from most draws
 */
export function clusterBootstrap(
  values: ArrayLike<number>,
  groups: ArrayLike<number>,
  clusters: ArrayLike<number>,
  { random, level, count }: { random: Random; level: number; count: number },
): (Interval | null)[] {
  let clusterCount = 0;
  for (let i = 0; i < clusters.length; i++) clusterCount = Math.max(clusterCount, clusters[i] + 1);
  // Sum and count of each cluster in each group: a draw needs no rows.
  const sums = new Float64Array(clusterCount * count);
  const sizes = new Float64Array(clusterCount * count);
  for (let i = 0; i < values.length; i++) {
    sums[clusters[i] * count + groups[i]] += values[i];
    sizes[clusters[i] * count + groups[i]] += 1;
  }
  const pairs: (number | null)[][] = Array.from({ length: (count * (count - 1)) / 2 }, () => []);
  for (let replicate = 0; replicate < REPLICATES; replicate++) {
    const [sum, size] = [new Float64Array(count), new Float64Array(count)];
    for (let draw = 0; draw < clusterCount; draw++) {
      const at = random.integer(clusterCount) * count;
      for (let group = 0; group < count; group++) {
        sum[group] += sums[at + group];
        size[group] += sizes[at + group];
      }
    }
    let pair = 0;
    for (let a = 0; a < count; a++)
      for (let b = a + 1; b < count; b++)
        pairs[pair++].push(size[a] > 0 && size[b] > 0 ? sum[b] / size[b] - sum[a] / size[a] : null);
  }
  return pairs.map((replicates) => percentileInterval(replicates, level));
}
