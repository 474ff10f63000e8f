/** The what-if of removed blocks: which layers a score would remove, and what was measured. Pure: no DOM. */
import type { ScoreTable } from '../../../protocol/scores.ts';
import { layerValues } from './scoreOverview.ts';

const QUARTER = 0.25;

/** The quarter of the layers that a score speaks least for keeping; null where it says nothing of single layers. */
export function lowestLayers(table: ScoreTable, layers: number): number[] | null {
  const { higherMeans, question } = table;
  const values = layerValues(table, layers);
  if (!values || higherMeans === null || question !== 'remove_block') return null;
  const sign = higherMeans === 'keep' ? 1 : -1;
  const known = values.flatMap((value, layer) => (value === null ? [] : [{ layer, value: sign * value }]));
  if (known.length === 0) return null;
  return known
    .sort((a, b) => a.value - b.value || a.layer - b.layer)
    .slice(0, Math.max(1, Math.floor(QUARTER * layers)))
    .map(({ layer }) => layer)
    .sort((a, b) => a - b);
}

/** [0, 1, 2, 5] -> "0-2, 5", as the option `layers` reads it. */
export function layerWords(layers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < layers.length; i++) {
    const start = layers[i]!;
    while (layers[i + 1] === layers[i]! + 1) i++;
    parts.push(start === layers[i] ? `${start}` : `${start}-${layers[i]!}`);
  }
  return parts.join(', ');
}

/** What was measured without several layers, least harm first. */
export function removalsOf(tables: readonly ScoreTable[]): ScoreTable[] {
  return tables
    .filter(({ score }) => score === 'removal')
    .sort((a, b) => (a.values[0] ?? Infinity) - (b.values[0] ?? Infinity));
}
