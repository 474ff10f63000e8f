/**
 * How sure the layer scores of a task are, from its Grams: a bootstrap over training and validation samples together gives an interval
 * for every score and every rank, and random halves tell how alike the layer scores of two independent samples of half the size are.
 * Layers are read one after the other, and others get a turn between two.
 */
import { setImmediate } from 'node:timers/promises';
import type { ResultLayer, ResultTask, ResultUncertainty } from '../../../../protocol/result.ts';
import type { LayerScoreOptions, ModuleGrams } from '../../estimators/layerScores.ts';
import { planReplicates, replicateScores } from '../../estimators/replicates.ts';
import type { ReplicatePlan } from '../../estimators/replicates.ts';
import type { Draw } from '../../estimators/types.ts';
import { Random } from '../../random/random.ts';
import { resampleCounts } from '../../statistics/bootstrap.ts';
import { percentileInterval, quantile, rankIntervals } from '../../statistics/intervals.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
const SPLITS = 10;
/** Fewer training samples than this tell nothing about their scatter. */
const LEAST_TRAIN = 4;

export interface UncertaintyOptions extends Omit<LayerScoreOptions, 'layerName'> {
  seed: number;
  replicates?: number | undefined;
}

export type LayerUncertainty = Required<Pick<ResultLayer, 'interval' | 'rankInterval' | 'unstable'>>;

/** What of a task is needed. */
export type Scored = Pick<ResultTask, 'task' | 'layers'> & {
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
  { seed, replicates = REPLICATES, ...options }: UncertaintyOptions,
): Promise<{ uncertainty: ResultUncertainty; layers: LayerUncertainty[] } | null> {
  const replicated = await scoreReplicates(task, modulesOf, { seed, replicates, ...options });
  if (!replicated) return null;
  const { layers } = task;
  const { plan, bootstrapped, halves: pairs } = replicated;
  const ranks = rankIntervals(bootstrapped, LEVEL);
  const found = layers.map((_, row): LayerUncertainty => {
    const [low, high] = [Math.floor(ranks[row][0]), Math.ceil(ranks[row][1])];
    return {
      interval: percentileInterval(
        bootstrapped.map((own) => own[row]),
        LEVEL,
      )!,
      rankInterval: [low, high],
      unstable: high - low > layers.length / 3,
    };
  });
  const agreements = pairs
    .map(([a, b]) => spearman(a, b))
    .filter((value) => value !== null)
    .sort((a, b) => a - b);
  return {
    uncertainty: {
      level: LEVEL,
      replicates: plan.replicates,
      seed,
      curvature: plan.curvature,
      halves:
        agreements.length === 0
          ? null
          : {
              splits: agreements.length,
              median: quantile(agreements, 0.5),
              low: agreements[0],
              high: agreements[agreements.length - 1],
            },
      unstable: found.filter(({ unstable }) => unstable).length,
    },
    layers: found,
  };
}

export interface Replicates {
  plan: ReplicatePlan;
  /** Layer scores of each bootstrap draw. The same task, sample counts and seed have the same draws, so that runs can be compared. */
  bootstrapped: Float64Array[];
  /** Layer scores of two halves, per split. */
  halves: [Float64Array, Float64Array][];
}

/** Layer scores on drawn samples; null with too few training samples. */
export async function scoreReplicates(
  { task, layers, train, validation }: Scored,
  modulesOf: (layer: number) => ModuleGrams[],
  { seed, replicates = REPLICATES, ...options }: UncertaintyOptions,
): Promise<Replicates | null> {
  const [n, m] = [train.samples, validation.samples];
  if (n < LEAST_TRAIN || layers.length === 0) return null;
  const matrices = layers.reduce((sum, layer) => sum + Object.keys(layer.modules).length, 0);
  const plan = planReplicates(options.estimator, { n, matrices, per: options.per ?? 'sample', replicates });

  const random = new Random(seed, `bootstrap ${task}`);
  const drawn = Array.from({ length: plan.replicates }, () => ({
    train: resampleCounts(n, random),
    validation: resampleCounts(m, random),
  }));
  const splits = m >= 2 && layers.length >= 2 ? Array.from({ length: SPLITS }, () => halves(n, m, random)) : [];
  const draws = [...drawn, ...splits.flat()];

  const scores = draws.map(() => new Float64Array(layers.length));
  for (const [row, { index, name }] of layers.entries()) {
    await setImmediate();
    options.signal?.throwIfAborted();
    const own = replicateScores(modulesOf(index), draws, plan.curvature, { ...options, layerName: name });
    own.forEach((score, d) => (scores[d][row] = score));
  }
  const half = (split: number, which: number) => scores[drawn.length + 2 * split + which];
  return {
    plan,
    bootstrapped: scores.slice(0, drawn.length),
    halves: splits.map((_, split) => [half(split, 0), half(split, 1)]),
  };
}

/** Two draws without a sample in common, of both splits. */
function halves(n: number, m: number, random: Random): [Draw, Draw] {
  const [train, validation] = [n, m].map((count) => random.subset(count, Math.floor(count / 2)));
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
  found.layers.forEach((own, row) => Object.assign(task.layers[row], own));
}
