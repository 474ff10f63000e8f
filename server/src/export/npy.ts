/**
 * NumPy `.npy` (format 1.0), float64, layers x modules values in layer order: what the pruning code of LayerIF and
 * AlphaPruning reads as a metric, larger = pruned more (`--ww_metric NAME --ww_metric_cache DIR --epsilon E
 * --sparsity_ratio S`). Scores, not sparsities: both map them to sparsities themselves. LayerIF's own file is smoothed
 * by its code; AlphaPruning's mapper does not smooth, so it gets smoothed ones.
 */
import type { ExportInput, ExportTarget } from './types.ts';

export const layerifNpy: ExportTarget = {
  id: 'layerif-npy',
  title: 'normalised scores as .npy, before smoothing',
  source: 'HadiAskari/LayerIF_Pruning_New',
  kinds: [],
  ending: '.npy',
  make: ({ layers }: ExportInput) => npy(layers.flatMap(({ normalised, modules }) => modules.map(() => normalised))),
};

export const alphaPruningNpy: ExportTarget = {
  id: 'alphapruning',
  title: 'normalised scores as .npy, smoothed over depth',
  source: 'haiquanlu/AlphaPruning',
  kinds: [],
  ending: '.npy',
  make: ({ layers }: ExportInput) => npy(layers.flatMap(({ smoothed, modules }) => modules.map(() => smoothed))),
};

/** Float64, little-endian, a vector by default; header padded with spaces to a multiple of 64. */
export function npy(values: readonly number[], shape: readonly number[] = [values.length]): Uint8Array {
  const size = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '<f8', 'fortran_order': False, 'shape': (${size}), }`;
  const header = `${dictionary.padEnd(64 * Math.ceil((10 + dictionary.length + 1) / 64) - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + 8 * values.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  view.setUint16(8, header.length, true);
  bytes.set(new TextEncoder().encode(header), 10);
  values.forEach((value, i) => view.setFloat64(10 + header.length + 8 * i, value, true));
  return bytes;
}
