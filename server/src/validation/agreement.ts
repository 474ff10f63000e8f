/**
 * How well predicted influence agrees with what happened, for every protocol of `layerif validate`. A predictor is a matrix B
 * (training samples x validation samples, positive = helps) or a score per training sample; an agreement is a statistic over units
 * (subsets, groups, queries or samples), so that one bootstrap over units gives intervals and paired differences for all predictors.
 */
import type { AgreementRow } from '../../../protocol/validation.ts';
import { Random } from '../random/random.ts';
import { auc } from '../statistics/auc.ts';
import { resample } from '../statistics/bootstrap.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { pearson, spearman } from '../statistics/rankCorrelation.ts';

export interface Predictor {
  id: string;
  /** Where the gradients were taken, such as `pretrained` or `trained`; null for controls without gradients. */
  point: string | null;
  /** Whether it stands for doing without influence: random, uniform, similarity, loss. Gradient dot is one too. */
  control: boolean;
  /** n x m, row-major. */
  B: Float64Array | null;
  /** n: how much a training sample helps itself; null where that is not defined. */
  self: Float64Array | null;
  /** Draws of a random control, whose statistics are averaged: one draw may look good by luck. Each is a predictor without draws. */
  draws?: readonly Predictor[];
}

/** Units as indices, perhaps with repeats -> the statistic; null where it is not defined (all predictions equal). */
export type Statistic = (units: readonly number[]) => number | null;

const RESAMPLES = 1000;
const LEVEL = 0.95;

/**
 * One row per predictor: the statistic over all units, a 95 % percentile interval over resampled units, and the same for the
 * difference to gradient dot at the same point.
 */
export function agreementRows(
  predictors: readonly Predictor[],
  units: number,
  statisticOf: (predictor: Predictor) => Statistic | null,
  seed: number,
): AgreementRow[] {
  const random = new Random(seed, 'agreement');
  const resamples = Array.from({ length: RESAMPLES }, () => Array.from(resample(units, random)));
  const all = Array.from({ length: units }, (_, i) => i);
  const found = predictors.flatMap((predictor) => {
    const statistic = predictor.draws ? averaged(predictor.draws.map(statisticOf)) : statisticOf(predictor);
    if (!statistic) return [];
    return [{ predictor, value: statistic(all), drawn: resamples.map((sample) => statistic(sample)) }];
  });
  return found.map(({ predictor: { id, point, control }, value, drawn }) => {
    const dot = found.find(({ predictor }) => predictor.id === 'dot' && predictor.point === point);
    const difference = (a: number | null, b: number | null) => (a === null || b === null ? null : a - b);
    const overDot =
      dot && id !== 'dot' && value !== null && dot.value !== null
        ? {
            difference: value - dot.value,
            interval: percentileInterval(
              drawn.map((v, i) => difference(v, dot.drawn[i])),
              LEVEL,
            ),
          }
        : null;
    return {
      predictor: id,
      point,
      control,
      value,
      interval: value === null ? null : percentileInterval(drawn, LEVEL),
      overDot,
    };
  });
}

function averaged(statistics: readonly (Statistic | null)[]): Statistic {
  return (units) => {
    const values = statistics.flatMap((statistic) => statistic?.(units) ?? []);
    return values.length === 0 ? null : mean(values);
  };
}

/**
 * Linear datamodeling score (Park et al., ICML 2023, arXiv 2303.14186). Units are validation samples: the Spearman correlation over
 * subsets of the summed influence of a subset with minus the loss after training on it, averaged over validation samples.
 *
 * @param losses subsets x m
 */
export function linearDatamodeling(
  B: Float64Array,
  m: number,
  subsets: readonly (readonly number[])[],
  losses: readonly ArrayLike<number>[],
): Statistic {
  const perQuery = Array.from({ length: m }, (_, j) => {
    const predicted = subsets.map((subset) => subset.reduce((sum, i) => sum + B[i * m + j], 0));
    return correlation(
      predicted,
      losses.map((row) => -row[j]),
      spearman,
    );
  });
  return (units) => {
    const known = units.flatMap((j) => perQuery[j] ?? []);
    return known.length === 0 ? null : mean(known);
  };
}

/**
 * Leave-one-out and leave-k-out. Units are groups: correlation over groups of the predicted change of the mean validation loss when a
 * group is left out, Σ B / (n m), with the true one.
 */
export function leaveOut(
  B: Float64Array,
  n: number,
  m: number,
  groups: readonly (readonly number[])[],
  changes: ArrayLike<number>,
  kind: 'pearson' | 'spearman',
): Statistic {
  const predicted = predictedChangesOf(B, n, m, groups);
  const measure = kind === 'spearman' ? spearman : pearson;
  return (units) =>
    correlation(
      units.map((g) => predicted[g]),
      units.map((g) => changes[g]),
      measure,
    );
}

export function predictedChangesOf(
  B: Float64Array,
  n: number,
  m: number,
  groups: readonly (readonly number[])[],
): Float64Array {
  const perSample = overColumns(B, n, m);
  return Float64Array.from(groups, (group) => group.reduce((sum, i) => sum + perSample[i], 0) / (n * m));
}

/** Units are training samples: area under the ROC curve of a suspicion for the flipped ones. */
export function detection(suspicion: ArrayLike<number>, flipped: readonly boolean[]): Statistic {
  return (units) =>
    auc(
      units.map((i) => suspicion[i]),
      units.map((i) => flipped[i]),
    );
}

/** Share of the flipped samples among the most suspicious `share` of all samples; ties count in expectation. */
export function recallCurve(
  suspicion: ArrayLike<number>,
  flipped: readonly boolean[],
  shares: readonly number[],
): number[] {
  const all = flipped.map((_, i) => i).sort((a, b) => suspicion[b] - suspicion[a]);
  const total = flipped.filter(Boolean).length;
  return shares.map((share) => expectedHits(all, suspicion, flipped, Math.round(share * all.length)) / total);
}

/** Units are validation samples: does influence rank training samples of the same class first? */
export function retrieval(
  B: Float64Array,
  classes: { train: readonly (number | string)[]; validation: readonly (number | string)[] },
  measure: 'auc' | 'recall',
): Statistic {
  const n = classes.train.length;
  const m = classes.validation.length;
  const perQuery = classes.validation.map((wanted, j) => {
    const scores = Float64Array.from({ length: n }, (_, i) => B[i * m + j]);
    const same = classes.train.map((c) => c === wanted);
    if (measure === 'auc') return auc(scores, same);
    const size = same.filter(Boolean).length;
    const order = same.map((_, i) => i).sort((a, b) => scores[b] - scores[a]);
    return size === 0 ? null : expectedHits(order, scores, same, size) / size;
  });
  return (units) => {
    const known = units.flatMap((j) => perQuery[j] ?? []);
    return known.length === 0 ? null : mean(known);
  };
}

/** Hits among the first `count` of `order`; of equal scores at the edge each is as likely to be inside. */
function expectedHits(
  order: readonly number[],
  scores: ArrayLike<number>,
  hit: readonly boolean[],
  count: number,
): number {
  if (count <= 0) return 0;
  const edge = scores[order[count - 1]];
  const above = order.filter((i) => scores[i] > edge);
  const tied = order.filter((i) => scores[i] === edge);
  const hits = (list: readonly number[]) => list.filter((i) => hit[i]).length;
  return hits(above) + (hits(tied) * (count - above.length)) / tied.length;
}

/** Slope of b against a by least squares. */
export function slope(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  const r = pearson(a, b);
  const spread = (v: ArrayLike<number>) => Math.sqrt(Array.from(v).reduce((s, x) => s + (x - mean(v)) ** 2, 0));
  return r === null ? null : (r * spread(b)) / spread(a);
}

/** Row sums of an n x m matrix. */
export function overColumns(B: Float64Array, n: number, m: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < m; j++) sum += B[i * m + j];
    return sum;
  });
}

function correlation(
  a: readonly number[],
  b: readonly number[],
  measure: (a: ArrayLike<number>, b: ArrayLike<number>) => number | null,
): number | null {
  // Predictions that differ by rounding alone are no predictions.
  const size = Math.max(...a.map(Math.abs));
  const spread = Math.max(...a) - Math.min(...a);
  return a.length < 3 || spread <= 1e-12 * size ? null : measure(a, b);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
