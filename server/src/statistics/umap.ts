/** UMAP (McInnes, Healy & Melville 2018) by the package `umap-js`, with seeded random numbers. */
import { UMAP } from 'umap-js';
import type { Random } from '../random/random.ts';
import type { Rows } from './classifier.ts';

/** @param neighbours 2 .. rows - 1 @returns count x 2 */
export function umap({ data, count, width }: Rows, neighbours: number, random: Random): Float64Array {
  const rows = Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)));
  const found = new UMAP({ nComponents: 2, nNeighbors: neighbours, random: () => random.uniform() }).fit(rows);
  return Float64Array.from(found.flat());
}
