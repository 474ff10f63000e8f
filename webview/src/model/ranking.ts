/** Which training samples of a layer to show first. Positive influence = helps validation. Pure: no DOM. */
import type { ResultTask } from '../../../protocol/result.ts';
import { lowerCounts } from '../../../protocol/lowerCounts.ts';
import { finite } from './layers.ts';

export interface RankedSample {
  /** Index into `train.rows`. */
  index: number;
  influence: number;
}

/**
 * The most helpful (largest positive first) and the most harmful (most negative first); zeros are neither. Ties by
 * index.
 */
export function rankSamples(
  influence: readonly number[],
  count: number,
): { helpful: RankedSample[]; harmful: RankedSample[] } {
  const all = influence.map((value, index) => ({ index, influence: finite(value) }));
  const helpful = all.filter((s) => s.influence > 0).sort((a, b) => b.influence - a.influence || a.index - b.index);
  const harmful = all.filter((s) => s.influence < 0).sort((a, b) => a.influence - b.influence || a.index - b.index);
  return { helpful: helpful.slice(0, count), harmful: harmful.slice(0, count) };
}

export type SampleOrder = 'total' | 'layer' | 'file';
export const sampleOrders: readonly { id: SampleOrder; name: string }[] = [
  { id: 'total', name: 'All layers' },
  { id: 'layer', name: 'This layer' },
  { id: 'file', name: 'File order' },
];

/** Columns of the heat map: most helpful at the left. `row` is the selected layer's row, or null. */
export function orderSamples(task: ResultTask, order: SampleOrder, row: number | null): number[] {
  const indices = Array.from({ length: task.train.rows.length }, (_, i) => i);
  if (order === 'file') return indices;
  const keys = order === 'layer' && row !== null ? task.influence[row]!.map(finite) : totals(task);
  return indices.sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b);
}

/** Sum over the finished layers, one per training sample. */
export function totals(task: ResultTask): number[] {
  const sums = new Array<number>(task.train.rows.length).fill(0);
  for (const row of task.influence) for (let i = 0; i < sums.length; i++) sums[i]! += finite(row[i]);
  return sums;
}

export interface OverLayers {
  /** Of each sample: sum of its influences. */
  sums: number[];
  /** Mean over the layers of its rank by influence, 1 = least; as `layerif rows` orders samples. */
  meanRanks: number[];
  /** Layers in which it harms validation. */
  harms: number[];
}

/** @param influence layer x sample */
export function overLayers(influence: readonly (readonly number[])[]): OverLayers {
  const count = influence[0]?.length ?? 0;
  const [sums, ranks, harms] = [0, 0, 0].map(() => new Array<number>(count).fill(0)) as [number[], number[], number[]];
  for (const layer of influence) {
    const values = layer.map(finite);
    const lower = lowerCounts(values);
    values.forEach((value, at) => {
      sums[at]! += value;
      ranks[at]! += lower[at]!;
      if (value < 0) harms[at]!++;
    });
  }
  return { sums, meanRanks: ranks.map((sum) => 1 + sum / Math.max(1, influence.length)), harms };
}
