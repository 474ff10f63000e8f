/** Numbers of a layer as sums over its linear modules, with the modules beside them as parts. */
import type { Tensors } from '../../../protocol/scores.ts';
import { jackknifeInterval } from '../statistics/jackknife.ts';
import type { ObservedShape } from './observations.ts';
import type { OptionRow } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { addTo } from '../linear/vectors.ts';

/** Share of the intervals that holds the value. */
const LEVEL = 0.9;

/** Of scores of summed gradients. */
export const batchesOption = {
  type: 'number',
  default: 8,
  least: 2,
  most: 64,
  whole: true,
  words: 'Into how many batches the texts are dealt; intervals come from leaving one out at a time.',
} as const satisfies OptionRow;

export function layersOf({ layers }: Pick<ObservedShape, 'layers'>): number[] {
  return Array.from({ length: layers }, (_, layer) => layer);
}

/** Numbers of a statistic, `<name>/<layer>.<module>`, by module of the layer. */
export function ofModules(
  observed: Tensors,
  name: string,
  model: ObservedShape,
  layer: number,
): { module: string; size: number; data: ArrayLike<number> }[] {
  return model.modules(layer).map(({ name: module, rows, columns }) => {
    const { data } = entry(observed, `${name === '' ? '' : `${name}/`}${layer}.${module}`);
    return { module, size: rows * columns, data };
  });
}

/** Position by position. */
export function summed(parts: readonly { data: ArrayLike<number> }[]): Float64Array {
  const sum = new Float64Array(parts[0]?.data.length ?? 0);
  for (const { data } of parts) addTo(sum, data);
  return sum;
}

/** Module -> one number for each layer, null where a layer lacks the module. */
export function partsOf(
  model: ObservedShape,
  valueOf: (layer: number, module: string, size: number) => number | null,
): Record<string, (number | null)[]> {
  const parts: Record<string, (number | null)[]> = {};
  for (const layer of layersOf(model)) {
    for (const { name, rows, columns } of model.modules(layer)) {
      (parts[name] ??= new Array<number | null>(model.layers).fill(null))[layer] = valueOf(layer, name, rows * columns);
    }
  }
  return parts;
}

/** Intervals of layers from values without each batch; nothing where there is one batch only. */
export function jackknifed(
  values: readonly (number | null)[],
  without: readonly ArrayLike<number>[],
): { intervals: ([number, number] | null)[]; level: number } | Record<string, never> {
  if ((without[0]?.length ?? 0) < 2) return {};
  const intervals = values.map((value, layer) =>
    value === null ? null : jackknifeInterval(value, nth(without, layer), LEVEL),
  );
  return { intervals, level: LEVEL };
}
