/**
 * How sure the layer scores of a task are, from its Grams: leaving out training and validation samples gives an
 * interval for every score and every rank (statistics/subsampling.ts says why nothing is drawn twice), and random
 * halves tell how alike the layer scores of two independent samples of half the size are. An interval is for samples of
 * the same kind, as many as these; it holds the score. Layers are read one after the other, and others get a turn
 * between two.
 */
import { setImmediate } from 'node:timers/promises';
import { UNSTABLE_SOLID } from '../../../../protocol/readability.ts';
import type { ResultLayer, ResultTask, ResultUncertainty } from '../../../../protocol/result.ts';
import type { LayerScoreOptions, ModuleGrams } from '../../estimators/layerScores.ts';
import { drawnScores, planReplicates, replicateScores } from '../../estimators/replicates.ts';
import type { ReplicatePlan } from '../../estimators/replicates.ts';
import type { Draw } from '../../estimators/types.ts';
import { Random } from '../../random/random.ts';
import { descendingRanks, quantile, rankIntervals } from '../../statistics/intervals.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { enlarged, subsample, symmetricInterval, together } from '../../statistics/subsampling.ts';
import { nth } from '../../lists/nth.ts';
import { samplesFactor } from './enoughSamples.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
const SPLITS = 10;
/** Fewer training samples than this tell nothing about their scatter. */
const LEAST_TRAIN = 4;

export interface UncertaintyOptions extends Omit<LayerScoreOptions, 'layerName'> {
  seed: number;
  replicates?: number | undefined;
  /** Of the intervals, 0 .. 1; default 0.9. */
  level?: number | undefined;
}

export type LayerUncertainty = Required<Pick<ResultLayer, 'interval' | 'rankInterval' | 'unstable'>>;

/** What of a task is needed. */
export type Scored = Pick<ResultTask, 'task' | 'layers' | 'subsample'> & {
  /** Asked for with a subsample. */
  influence?: ResultTask['influence'];
  train: { samples: number };
  validation: { samples: number };
};

/**
 * @param modulesOf Grams of a layer, asked for once
 * @returns null with fewer than four training samples
 * @throws LayerifError `failed` where the estimator cannot be applied to a part of the samples
 */
export async function uncertaintyOf(
  task: Scored,
  modulesOf: (layer: number) => ModuleGrams[],
  { seed, replicates = REPLICATES, level = LEVEL, ...options }: UncertaintyOptions,
): Promise<{ uncertainty: ResultUncertainty; layers: LayerUncertainty[] } | null> {
  const replicated = await replicatesOf(task, modulesOf, { seed, replicates, level, ...options });
  if (!replicated) return null;
  const { layers } = task;
  const { plan, halves: pairs, scores, replicates: drawn } = replicated;
  const ranks = rankIntervals(drawn, level);
  const own = descendingRanks(scores);
  const found = layers.map((_, row): LayerUncertainty => {
    const low = Math.floor(Math.min(nth(ranks, row)[0], nth(own, row)));
    const high = Math.ceil(Math.max(nth(ranks, row)[1], nth(own, row)));
    const deviations = drawn.map((replicate) => nth(replicate, row) - nth(scores, row));
    const [from, to] = symmetricInterval(nth(scores, row), deviations, level);
    return {
      interval: options.aggregation === 'sum' ? [from, to] : [Math.max(0, from), to],
      rankInterval: [low, high],
      unstable: high - low > layers.length / 3,
    };
  });
  const unstable = found.filter((layer) => layer.unstable).length;
  // A subsample's scatter says nothing of how many samples there are.
  const open = unstable > UNSTABLE_SOLID * layers.length && !task.subsample;
  const agreements = pairs
    .map(([a, b]) => spearman(a, b))
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  return {
    uncertainty: {
      level,
      replicates: plan.replicates,
      seed,
      curvature: plan.curvature,
      halves:
        agreements.length === 0
          ? null
          : {
              splits: agreements.length,
              median: quantile(agreements, 0.5),
              low: nth(agreements, 0),
              high: nth(agreements, agreements.length - 1),
            },
      unstable,
      ...(open ? { samplesFactor: samplesFactor(replicated, level) } : {}),
      ...(task.subsample ? { of: sizesOf(task) } : {}),
    },
    layers: found,
  };
}

/**
 * Layer scores as other samples of the same kind might give them, about the task's own; null with fewer than four
 * training samples.
 *
 * @throws LayerifError as `uncertaintyOf`
 */
export async function replicatesOf(
  task: Scored,
  modulesOf: (layer: number) => ModuleGrams[],
  options: UncertaintyOptions,
): Promise<Replicates | null> {
  const drawn = await scoreReplicates(task, modulesOf, options);
  return drawn && { ...drawn, ...ofAllSamples(task, drawn) };
}

/** Samples behind the Grams. */
const sizesOf = ({ train, validation, subsample }: Scored) => ({
  train: subsample?.train.length ?? train.samples,
  validation: subsample?.validation.length ?? validation.samples,
});

/**
 * Replicates of a subsample about the scores of all samples: sums over more samples are larger, by as much as the sum
 * of absolute influences. Their scatter stays that of the subsample's size.
 */
function ofAllSamples(
  { subsample, layers, influence = [] }: Scored,
  { scores: own, sizes, replicates }: Replicates,
): Pick<Replicates, 'scores' | 'replicates'> {
  if (!subsample) return { scores: own, replicates };
  const scores = Float64Array.from(layers, ({ score }) => score);
  const factors = influence.map((row, at) => {
    const size = row.reduce((sum, value) => sum + Math.abs(value), 0);
    return nth(sizes, at) > 0 ? size / nth(sizes, at) : 1;
  });
  const moved = replicates.map((drawn) =>
    drawn.map((value, row) => nth(scores, row) + nth(factors, row) * (value - nth(own, row))),
  );
  return { scores, replicates: moved };
}

export interface Replicates {
  plan: ReplicatePlan;
  /** Layer scores on all samples that have Grams, and the sums of their absolute influences. */
  scores: Float64Array;
  sizes: Float64Array;
  /**
   * Layer scores as other samples, as many as these, might give them: the scores with the deviations of draws. The same
   * task, sample counts and seed have the same draws, so that runs can be compared.
   */
  replicates: Float64Array[];
  /** Layer scores of two halves, per split. */
  halves: [Float64Array, Float64Array][];
}

/** Layer scores on drawn samples; null with too few training samples. */
export async function scoreReplicates(
  scored: Scored,
  modulesOf: (layer: number) => ModuleGrams[],
  { seed, replicates = REPLICATES, level = LEVEL, ...options }: UncertaintyOptions,
): Promise<Replicates | null> {
  const { task, layers } = scored;
  const { train: n, validation: m } = sizesOf(scored);
  if (n < LEAST_TRAIN || layers.length === 0) return null;
  const matrices = layers.reduce((sum, layer) => sum + Object.keys(layer.modules).length, 0);
  const plan = planReplicates(options.estimator, { n, matrices, per: options.per ?? 'sample', replicates });

  const random = new Random(seed, `left out ${task}`);
  const all: Draw = { train: new Float64Array(n).fill(1), validation: new Float64Array(m).fill(1) };
  const drawn = <T>(make: () => T) => Array.from({ length: plan.replicates }, make);
  const trainDraws = drawn(() => ({ ...all, train: subsample(n, random) }));
  const validationDraws = drawn(() => ({ ...all, validation: subsample(m, random) }));
  const splits = m >= 2 && layers.length >= 2 ? Array.from({ length: SPLITS }, () => halves(n, m, random)) : [];

  const scores = new Float64Array(layers.length);
  const sums = new Float64Array(layers.length);
  const found = drawn(() => new Float64Array(layers.length));
  const halved = splits.flat().map(() => new Float64Array(layers.length));
  for (const [row, { index, name }] of layers.entries()) {
    await setImmediate();
    options.signal?.throwIfAborted();
    const modules = modulesOf(index);
    const own = { ...options, layerName: name };
    // Validation samples leave the curvature as it is: the influence of pairs is computed once for all of their draws.
    const fixed = plan.curvature === 'resampled' ? 'fixed' : plan.curvature;
    const whole = drawnScores(modules, [all, ...validationDraws], fixed, own);
    const fewer = drawnScores(modules, trainDraws, plan.curvature, own);
    scores[row] = nth(whole.scores, 0);
    sums[row] = nth(whole.sizes, 0);
    const scaled = (draws: Float64Array, sizes: Float64Array, count: number) => {
      const mean = sizes.reduce((sum, size) => sum + size / sizes.length, 0);
      return { deviations: enlarged(draws, count, mean > 0 ? nth(whole.sizes, 0) / mean : 1), count };
    };
    const parts = [scaled(fewer.scores, fewer.sizes, n), scaled(whole.scores.subarray(1), whole.sizes.subarray(1), m)];
    together(parts, level).forEach((deviation, d) => (nth(found, d)[row] = nth(scores, row) + deviation));
    if (splits.length === 0) continue;
    replicateScores(modules, splits.flat(), plan.curvature, own).forEach((score, d) => (nth(halved, d)[row] = score));
  }
  return {
    plan,
    scores,
    sizes: sums,
    replicates: found,
    halves: splits.map((_, split) => [nth(halved, 2 * split), nth(halved, 2 * split + 1)]),
  };
}

/** Two draws without a sample in common, of both splits. */
function halves(n: number, m: number, random: Random): [Draw, Draw] {
  const half = (count: number) => random.subset(count, Math.floor(count / 2));
  const [train, validation] = [half(n), half(m)];
  const draw = (inside: number): Draw => ({
    train: Float64Array.from({ length: n }, (_, i) => (train.includes(i) ? inside : 1 - inside)),
    validation: Float64Array.from({ length: m }, (_, j) => (validation.includes(j) ? inside : 1 - inside)),
  });
  return [draw(1), draw(0)];
}

/** Puts intervals into a task's layers. */
export function addUncertainty(
  task: ResultTask,
  found: { uncertainty: ResultUncertainty; layers: LayerUncertainty[] } | null,
): void {
  if (!found) return;
  task.uncertainty = found.uncertainty;
  found.layers.forEach((own, row) => Object.assign(nth(task.layers, row), own));
}
