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
  /** Of all samples, where `grams` are those of a subsample. */
  sums?: ModuleSums | undefined;
}

/** The estimator's form for sums of gradients, of one weight matrix. */
export interface ModuleSums {
  /** n, summed over validation samples; positive = helps. */
  influence: Float64Array;
  /** n and m: squared norms of the samples' gradients. */
  trainSquares: Float64Array;
  validationSquares: Float64Array;
  /** null for an estimator without one. */
  damping: number | null;
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

/** A layer's scores without the influence of pairs. */
export type SummedScores = Omit<LayerScores, 'B' | 'convergence'> & { B: null; convergence: null };

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

/**
 * The same from sums of gradients.
 *
 * @param modules at least one, all with `sums` of the same samples
 * @throws LayerifError `failed` with layer, module and sample for numbers that are not finite
 */
export function scoreSums(
  modules: readonly ModuleGrams[],
  { aggregation, layerName }: Pick<LayerScoreOptions, 'aggregation' | 'layerName'>,
): SummedScores {
  const aggregate = aggregations[aggregation].apply;
  const [first] = modules;
  const zeros = (like: Float64Array | undefined) => new Float64Array(like?.length ?? 0);
  const influence = zeros(first?.sums?.influence);
  const trainSquaredNorm = zeros(influence);
  const validationSquaredNorm = zeros(first?.sums?.validationSquares);
  const found: Pick<LayerScores, 'modules' | 'damping' | 'zeroGradient'> = {
    modules: {},
    damping: [],
    zeroGradient: [],
  };
  for (const { module, sums } of modules) {
    const where = `${layerName} ${module}`;
    if (!sums) throw new LayerifError('failed', `${where} has no sums; delete the run folder and score again`);
    requireFinite(sums, where);
    found.modules[module] = { score: finite(aggregate(sums.influence), where) };
    found.damping.push(sums.damping);
    if (sums.trainSquares.every((square) => square === 0)) found.zeroGradient.push(module);
    for (const [i, value] of sums.influence.entries()) influence[i] += value;
    for (const [i, value] of sums.trainSquares.entries()) trainSquaredNorm[i] += value;
    for (const [j, value] of sums.validationSquares.entries()) validationSquaredNorm[j] += value;
  }
  const [positive, top25, sum] = (['positive', 'top25', 'sum'] as const).map((id) =>
    finite(aggregations[id].apply(influence), layerName),
  );
  const score = { positive, top25, sum }[aggregation];
  const norms = { trainSquaredNorm, validationSquaredNorm };
  return { score, positive, top25, sum, influence, B: null, ...found, convergence: null, ...norms };
}

function requireFinite(sums: ModuleSums, where: string): void {
  for (const [what, values] of [
    ['the influence of training sample', sums.influence],
    ['the squared gradient of training sample', sums.trainSquares],
    ['the squared gradient of validation sample', sums.validationSquares],
  ] as const) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    throw new LayerifError(
      'failed',
      `${what} ${bad} (from 0) in ${where} is ${values[bad]}: a gradient overflowed or is not a number; look for extreme weights or that sample's text`,
    );
  }
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
