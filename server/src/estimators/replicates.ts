/**
 * A layer's score on other samples of the same kind, from the Grams it has: training and validation samples get weights
 * (one and zero for those left in and out, any number from 0 in general), and the estimator is applied to the weighted
 * samples.
 *
 * Where influence depends on the other training samples through F, and the estimator can weight F (`resampled`), all of
 * it is computed again. Otherwise the influence of pairs is taken from all samples (`fixed`), which leaves the scatter
 * of the curvature out; for dot, cosine and tracin there is none (`none`). Pairs are always aggregated that way: n x m
 * numbers per draw would cost m times as much.
 */
import { aggregations } from './aggregation.ts';
import { scoreLayer } from './layerScores.ts';
import type { LayerScoreOptions, ModuleGrams } from './layerScores.ts';
import type { Draw, Estimator } from './types.ts';

/** Multiplications that intervals may cost: about ten seconds of one core. */
const budget = 1.2e10;

export interface ReplicatePlan {
  replicates: number;
  curvature: Estimator['curvature'];
}

/**
 * The asked number of replicates, fewer (at least 50) where the estimator makes each of them expensive, and with fixed
 * curvature where 50 would cost more than eight times the budget.
 *
 * @param matrices scored weight matrices of all layers
 */
export function planReplicates(
  { curvature, resamplingCost }: Estimator,
  { n, matrices, per, replicates }: { n: number; matrices: number; per: 'sample' | 'pair'; replicates: number },
): ReplicatePlan {
  if (curvature !== 'resampled' || !resamplingCost) return { replicates, curvature };
  if (per === 'pair') return { replicates, curvature: 'fixed' };
  const cost = resamplingCost(n) * matrices;
  const least = Math.min(50, replicates);
  if (least * cost > 8 * budget) return { replicates, curvature: 'fixed' };
  return { replicates: Math.max(least, Math.min(replicates, Math.floor(budget / cost))), curvature };
}

/**
 * Per draw the score, and the sum of the absolute influences, which tells how the score's scale follows the number of
 * samples.
 */
export interface DrawnScores {
  scores: Float64Array;
  sizes: Float64Array;
}

/**
 * @param curvature of `planReplicates`
 * @throws LayerifError `failed` as `scoreLayer`
 */
export function drawnScores(
  modules: readonly ModuleGrams[],
  draws: readonly Draw[],
  curvature: Estimator['curvature'],
  options: LayerScoreOptions,
): DrawnScores {
  const { estimator, aggregation, damping, relatif, signal, layerName, per = 'sample' } = options;
  const { apply } = aggregations[aggregation];
  const { n, m } = modules[0].grams;
  const found: DrawnScores = { scores: new Float64Array(draws.length), sizes: new Float64Array(draws.length) };
  const add = (d: number, influence: Float64Array, weights: Float64Array) => {
    found.scores[d] = apply(influence, weights);
    let size = 0;
    for (let i = 0; i < influence.length; i++) size += weights[i] * Math.abs(influence[i]);
    found.sizes[d] = size;
  };
  if (curvature === 'resampled' && per === 'sample') {
    const sums = draws.map(() => new Float64Array(n));
    for (const { module, grams } of modules) {
      const own = estimator.resampled!(grams, draws, { damping, relatif, signal, where: `${layerName} ${module}` });
      own.forEach((influence, d) => influence.forEach((value, i) => (sums[d][i] += value)));
    }
    sums.forEach((sum, d) => add(d, sum, draws[d].train));
    return found;
  }
  const { B } = scoreLayer(modules, options);
  if (per === 'pair') {
    // Sorted once: sorting what is sorted costs little.
    const order = Int32Array.from(B, (_, at) => at).sort((a, b) => B[b] - B[a]);
    const sorted = Float64Array.from(order, (at) => B[at]);
    draws.forEach(({ train, validation }, d) => {
      const weights = Float64Array.from(order, (at) => train[Math.floor(at / m)] * validation[at % m]);
      add(d, sorted, weights);
    });
    return found;
  }
  draws.forEach(({ train, validation }, d) => {
    const influence = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) influence[i] += B[i * m + j] * validation[j];
    add(d, influence, train);
  });
  return found;
}

/** One score per draw. */
export function replicateScores(...asked: Parameters<typeof drawnScores>): Float64Array {
  return drawnScores(...asked).scores;
}
