/**
 * Exponent of the heavy tail of the weights' spectra (PL_Alpha_Hill), mean over the linear modules of a layer; see
 * `statistics/tailExponent.ts`. A small exponent marks a heavy tail, as well trained layers have it, which is pruned
 * less.
 *
 * The exponent depends on the shape of the matrix too, so each layer has the value of Gaussian matrices of the same
 * shapes beside it: Hill's estimator on the quantiles of the Marchenko-Pastur law.
 */
import { marchenkoPastur } from '../statistics/marchenkoPastur.ts';
import { tailExponents } from '../statistics/tailExponent.ts';
import { defineScore, layerWords } from './types.ts';
import { entry } from '../lists/entry.ts';

export const alphaHill = defineScore({
  id: 'alpha_hill',
  version: 1,
  title: 'Tail exponent of the weight spectra',
  question: 'prune_weights',
  subject: 'layer',
  unit: '',
  higherMeans: 'remove',
  formula:
    '1 + k / (sum of ln e over the k largest eigenvalues e of W W^T - k ln of the smallest of them), mean over modules',
  source: 'AlphaPruning, arXiv 2410.10912',
  status: 'published',
  options: {
    fit: {
      type: 'choice',
      default: 'mid',
      choices: ['mid', 'peak'],
      words: 'Which part of the spectrum is its tail: the larger half (mid), or from near its peak on (peak).',
    },
  },
  needs: () => ({ spectra: { of: 'weight_spectra', options: {} } }),

  score({ spectra }, { fit }, { model }) {
    const parts: Record<string, (number | null)[]> = {};
    const values: (number | null)[] = [];
    const gaussian: (number | null)[] = [];
    const without: number[] = [];
    for (let layer = 0; layer < model.layers; layer++) {
      const own: number[] = [];
      const random: number[] = [];
      for (const { name, rows, columns } of model.modules(layer)) {
        const exponent = tailExponents(Float64Array.from(entry(spectra, `${layer}.${name}`).data))[fit];
        const part = (parts[name] ??= new Array<number | null>(model.layers).fill(null));
        if (!Number.isFinite(exponent)) continue;
        part[layer] = exponent;
        own.push(exponent);
        random.push(gaussianExponent(rows, columns));
      }
      values.push(mean(own));
      gaussian.push(mean(random));
      if (own.length === 0) without.push(layer);
    }
    return {
      values,
      parts,
      ...(fit === 'mid' ? { reference: { value: gaussian, words: 'Gaussian matrices of the same shapes' } } : {}),
      notes:
        without.length > 0
          ? [`${layerWords(without)}: no matrix has a tail: they are too small, or their weights are all alike`]
          : [],
    };
  },
});

const mean = (values: readonly number[]) =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

const known = new Map<string, number>();

/** Of independent standard normal entries, in the limit of large matrices: fit `mid`. */
function gaussianExponent(rows: number, columns: number): number {
  const ratio = Math.min(rows, columns) / Math.max(rows, columns);
  const key = ratio.toFixed(6);
  let exponent = known.get(key);
  if (exponent === undefined) known.set(key, (exponent = tailExponents(marchenkoPastur(ratio)).mid));
  return exponent;
}
