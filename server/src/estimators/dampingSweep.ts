/**
 * A layer's score over many damping factors, from its Grams. Per sample only B summed over the validation samples is
 * needed, one column in place of m: DataInf then costs n² per factor and matrix, the exact forms one Cholesky factor.
 * (Diagonalising K once would serve every factor, but costs more than a dozen Cholesky factors do.)
 */
import type { Damping } from './types.ts';
import { replicateScores } from './replicates.ts';
import type { LayerScoreOptions, ModuleGrams } from './layerScores.ts';
import { scoreLayer } from './layerScores.ts';

/**
 * @returns the layer's score for each damping
 * @throws LayerifError `failed` for a damping that drowns in rounding
 */
export function scoreAt(
  modules: readonly ModuleGrams[],
  damping: Damping,
  options: Omit<LayerScoreOptions, 'damping'>,
): number {
  const { n, m } = modules[0].grams;
  const whole = { train: new Float64Array(n).fill(1), validation: new Float64Array(m).fill(1) };
  const all = { ...options, damping };
  if (options.estimator.curvature !== 'resampled' || options.per === 'pair') return scoreLayer(modules, all).score;
  return replicateScores(modules, [whole], 'resampled', all)[0];
}
