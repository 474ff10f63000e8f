/**
 * One layer's score from the Grams of its weight matrices.
 *
 * Per matrix: B (n x m) with its own damping. The layer's B is the sum over its matrices; its influence per training
 * sample is that summed over validation samples, and its score aggregates those n numbers, or all n x m pairs with
 * `per: pair`. A module's score aggregates the module's own B, so modules add up to the layer only under `sum`.
 */
import type { AggregationId } from '../../../protocol/experiment.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { aggregations } from './aggregation.ts';
import type { Convergence, Damping, Estimator, Grams, RelatifForm } from './types.ts';

export interface ModuleGrams {
  /** Name below the layer, e.g. `self_attn.q_proj`. */
  module: string;
  grams: Grams;
}

export interface LayerScoreOptions {
  estimator: Estimator;
  damping: Damping;
  aggregation: AggregationId;
  /** What is aggregated; default `sample`. */
  per?: 'sample' | 'pair' | undefined;
  /** Of the estimator `relatif`. */
  relatif?: RelatifForm | undefined;
  /** Named in errors, e.g. `model.layers.3`. */
  layerName: string;
  signal?: AbortSignal | undefined;
}

export interface LayerScores {
  /** The chosen aggregation; equal to one of the next three. */
  score: number;
  positive: number;
  top25: number;
  sum: number;
  /** n numbers: B summed over validation samples and modules. Positive = helps. */
  influence: Float64Array;
  /** n x m, row-major: B summed over modules. */
  B: Float64Array;
  modules: Record<string, { score: number }>;
  /** One per module, in the order given; null for an estimator without damping. */
  damping: (number | null)[];
  /** Modules whose training gradients are all zero. */
  zeroGradient: string[];
  /** Of an iterative estimator: that of the module with the largest residual. */
  convergence: (Convergence & { module: string }) | null;
  /** n and m numbers: squared norms of the samples' gradients over the layer's matrices. */
  trainSquaredNorm: Float64Array;
  validationSquaredNorm: Float64Array;
}

/**
 * @param modules at least one, all with the same n and m.
 * @throws LayerifError `failed` with layer and module for Grams or results that are not finite.
 */
export function scoreLayer(modules: readonly ModuleGrams[], options: LayerScoreOptions): LayerScores {
  if (modules.length === 0)
    throw new LayerifError('failed', `layer ${options.layerName} has no scored weight matrix; check score.modules`);
  const { n, m } = modules[0].grams;
  const { damping: wanted, signal, relatif, per = 'sample' } = options;
  const aggregate = aggregations[options.aggregation].apply;
  const aggregated = (of: Float64Array) => (per === 'pair' ? of : overValidation(of, n, m));
  const B = new Float64Array(n * m);
  const trainSquaredNorm = new Float64Array(n);
  const validationSquaredNorm = new Float64Array(m);
  const moduleScores: LayerScores['modules'] = {};
  const damping: (number | null)[] = [];
  const zeroGradient: string[] = [];
  let convergence: LayerScores['convergence'] = null;

  for (const { module, grams } of modules) {
    const where = `${options.layerName} ${module}`;
    if (grams.n !== n || grams.m !== m) {
      throw new LayerifError(
        'failed',
        `Grams of ${where} are for ${grams.n} x ${grams.m} samples, those of ${modules[0].module} for ${n} x ${m}; delete the run folder and score again`,
      );
    }
    const own = options.estimator.influence(grams, { damping: wanted, relatif, signal, where });
    moduleScores[module] = { score: finite(aggregate(aggregated(own.B)), where) };
    damping.push(own.damping);
    if (own.zeroGradient) zeroGradient.push(module);
    if (own.convergence && !(own.convergence.residual <= (convergence?.residual ?? -1))) {
      convergence = { ...own.convergence, module };
    }
    for (let i = 0; i < B.length; i++) B[i] += own.B[i];
    for (let i = 0; i < n; i++) trainSquaredNorm[i] += grams.K[i * n + i];
    for (let j = 0; j < m; j++) validationSquaredNorm[j] += grams.diagV[j];
  }

  const influence = overValidation(B, n, m);
  const values = aggregated(B);
  const [positive, top25, sum] = (['positive', 'top25', 'sum'] as const).map((id) =>
    finite(aggregations[id].apply(values), options.layerName),
  );
  return {
    score: { positive, top25, sum }[options.aggregation],
    positive,
    top25,
    sum,
    influence,
    B,
    modules: moduleScores,
    damping,
    zeroGradient,
    convergence,
    trainSquaredNorm,
    validationSquaredNorm,
  };
}

/** Row sums of an n x m matrix. */
export function overValidation(B: Float64Array, n: number, m: number): Float64Array {
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) sums[i] += B[i * m + j];
  return sums;
}

function finite(score: number, where: string): number {
  if (Number.isFinite(score)) return score;
  throw new LayerifError(
    'failed',
    `the score of ${where} is ${score}: its influence overflows float64; raise the damping factor`,
  );
}
