/**
 * What the protocols of `layerif validate` measure: statistics of predicted influence B (training samples x validation
 * samples, positive = helps) or of a score per training sample, with the levels that could have been others and the
 * orders under which a predictor that knows nothing is as likely. To add one, return an `Agreement`.
 */
import type { Random } from '../random/random.ts';
import { auc } from '../statistics/auc.ts';
import { pearson, spearman } from '../statistics/rankCorrelation.ts';
import type { Level } from './jackknife.ts';

/** How the statistic is to be computed: without one member of a level, or with members in another order. */
export interface Change {
  without?: { level: string; member: number };
  /** Of what `shuffled` permutes: the predictions of member i are those of order[i]. */
  order?: readonly number[];
}

/** Null where it is not defined, such as for predictions that are all equal. */
export type Statistic = (change?: Change) => number | null;

export interface Agreement {
  /** Levels whose variances add up; those of one term are alternatives. See jackknife.ts. */
  terms: readonly (readonly Level[])[];
  /** Lowest and highest possible value. */
  range: readonly [number, number];
  /**
   * A random order under which predictions that have nothing to do with the training samples are as likely as they
   * stand.
   */
  shuffled: (random: Random) => number[];
  /** @param values of a predictor: B, n x m row-major, or n scores */
  of: (values: Float64Array) => Statistic;
}

type Correlation = 'pearson' | 'spearman';

/**
 * Linear datamodeling score (Park et al., ICML 2023, arXiv 2303.14186): the Spearman correlation over subsets of the
 * summed influence of a subset with minus the loss after training on it, averaged over validation samples. Subsets are
 * of one size, so that what all training samples have in common cancels.
 *
 * @param losses subsets x m
 */
export function linearDatamodeling(
  n: number,
  m: number,
  subsets: readonly (readonly number[])[],
  losses: readonly ArrayLike<number>[],
): Agreement {
  requireOneSize(subsets);
  const inside = subsets.map((subset) => new Set(subset));
  const truths = Array.from({ length: m }, (_, j) => losses.map((row) => -row[j]));
  const rows = Array.from({ length: n }, (_, i) => i);
  return {
    terms: [
      [
        { name: 'subsets', count: subsets.length },
        { name: 'training', count: n },
      ],
      [{ name: 'validation', count: m }],
    ],
    range: [-1, 1],
    shuffled: (random) => random.permutation(n),
    of(B) {
      const predict = (order: readonly number[]) =>
        truths.map((_, j) => subsets.map((subset) => subset.reduce((sum, i) => sum + B[order[i] * m + j], 0)));
      const whole = predict(rows);
      const perQuery = truths.map((truth, j) => correlation(whole[j], truth, 'spearman'));
      const centers = truths.map((_, j) => rows.reduce((sum, i) => sum + B[i * m + j], 0) / n);
      return ({ without, order } = {}) => {
        if (order) {
          const predicted = predict(order);
          return meanOfKnown(truths.map((truth, j) => correlation(predicted[j], truth, 'spearman')));
        }
        if (!without) return meanOfKnown(perQuery);
        const { level, member } = without;
        if (level === 'validation') return meanOfKnown(perQuery.filter((_, j) => j !== member));
        if (level === 'subsets') {
          const others = <T>(list: readonly T[]) => list.filter((_, k) => k !== member);
          return meanOfKnown(truths.map((truth, j) => correlation(others(whole[j]), others(truth), 'spearman')));
        }
        return meanOfKnown(
          truths.map((truth, j) => {
            const own = B[member * m + j] - centers[j];
            const predicted = whole[j].map((value, k) => (inside[k].has(member) ? value - own : value));
            return correlation(predicted, truth, 'spearman');
          }),
        );
      };
    },
  };
}

/**
 * Leave-one-out and leave-k-out: correlation over groups of the predicted change of the mean validation loss when a
 * group is left out, Σ B / (n m), with the true one. Groups are of one size. Also for the mean loss after training on
 * subsets.
 *
 * @param changes groups x m: of every validation sample's loss
 */
export function leaveOut(
  n: number,
  m: number,
  groups: readonly (readonly number[])[],
  changes: readonly ArrayLike<number>[],
  kind: Correlation,
): Agreement {
  requireOneSize(groups);
  const single = groups.every((group) => group.length === 1);
  const totals = changes.map((row) => sumOf(row));
  const term = [{ name: 'groups', count: groups.length }];
  if (!single) term.push({ name: 'training', count: n });
  return {
    terms: [term, [{ name: 'validation', count: m }]],
    range: [-1, 1],
    // Single samples may have been chosen, by their loss say: then they are like each other, not like all others.
    shuffled(random) {
      if (!single) return random.permutation(n);
      const order = Array.from({ length: n }, (_, i) => i);
      random.permutation(groups.length).forEach((from, to) => (order[groups[to][0]] = groups[from][0]));
      return order;
    },
    of(B) {
      const whole = overColumns(B, n, m);
      return ({ without, order } = {}) => {
        const query = without?.level === 'validation' ? without.member : -1;
        const row = without?.level === 'training' ? without.member : -1;
        const dropped = without?.level === 'groups' ? without.member : -1;
        const sums = query < 0 ? whole : whole.map((sum, i) => sum - B[i * m + query]);
        const center = row < 0 ? 0 : sumOf(sums) / n;
        const value = (i: number) => (i === row ? center : sums[order ? order[i] : i]);
        const kept = groups.map((_, g) => g).filter((g) => g !== dropped);
        return correlation(
          kept.map((g) => groups[g].reduce((sum, i) => sum + value(i), 0) / (n * m)),
          kept.map((g) => totals[g] - (query < 0 ? 0 : changes[g][query])),
          kind,
        );
      };
    },
  };
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

/**
 * Area under the ROC curve of a suspicion for the flipped training samples; leaving out one of either kind is DeLong's
 * variance (DeLong, DeLong & Clarke-Pearson 1988).
 *
 * @param m with validation samples the values are B and the suspicion is the harm to them, minus the sum; without the
 *   values themselves
 */
export function detection(flipped: readonly boolean[], m = 0): Agreement {
  const n = flipped.length;
  const places = (kind: boolean) => flipped.flatMap((f, i) => (f === kind ? [i] : []));
  const kinds = new Map([
    ['changed', places(true)],
    ['unchanged', places(false)],
  ]);
  return {
    terms: [
      ...[...kinds].map(([name, { length }]) => [{ name, count: length }]),
      ...(m > 0 ? [[{ name: 'validation', count: m }]] : []),
    ],
    range: [0, 1],
    shuffled: (random) => random.permutation(n),
    of(values) {
      const whole = m > 0 ? overColumns(values, n, m).map((sum) => -sum) : values;
      return ({ without, order } = {}) => {
        const query = without?.level === 'validation' ? without.member : -1;
        const dropped = (without && kinds.get(without.level)?.[without.member]) ?? -1;
        const suspicion = query < 0 ? whole : whole.map((harm, i) => harm + values[i * m + query]);
        const kept = flipped.map((_, i) => i).filter((i) => i !== dropped);
        return auc(
          kept.map((i) => suspicion[order ? order[i] : i]),
          kept.map((i) => flipped[i]),
        );
      };
    },
  };
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

/**
 * Does influence rank training samples of the same class first, for every validation sample? Samples of a class are
 * alike, so that a class counts as one member: it is left out as a whole, and classes change places as a whole.
 */
export function retrieval(
  n: number,
  classes: { train: readonly (number | string)[]; validation: readonly (number | string)[] },
  measure: 'auc' | 'recall',
): Agreement {
  const names = [...new Set([...classes.train, ...classes.validation])];
  const train = classes.train.map((name) => names.indexOf(name));
  const validation = classes.validation.map((name) => names.indexOf(name));
  const m = validation.length;
  return {
    terms: [[{ name: 'classes', count: names.length }]],
    range: [0, 1],
    shuffled: (random) => random.permutation(names.length),
    of(B) {
      const columns = validation.map((_, j) => Float64Array.from({ length: n }, (__, i) => B[i * m + j]));
      /** The statistic of a query when training samples of `wanted` are the right ones among `kept`. */
      const found = (j: number, wanted: number, kept: readonly number[]): number | null => {
        const scores = kept.map((i) => columns[j][i]);
        const same = kept.map((i) => train[i] === wanted);
        if (measure === 'auc') return auc(scores, same);
        const size = same.filter(Boolean).length;
        const sorted = same.map((_, i) => i).sort((x, y) => scores[y] - scores[x]);
        return size === 0 ? null : expectedHits(sorted, scores, same, size) / size;
      };
      const all = train.map((_, i) => i);
      // Of every query and every class that could be the right one: what orders of the classes look up.
      let table: (number | null)[][] | undefined;
      return ({ without, order } = {}) => {
        if (without) {
          const kept = all.filter((i) => train[i] !== without.member);
          return meanOfKnown(
            validation.map((wanted, j) => (wanted === without.member ? null : found(j, wanted, kept))),
          );
        }
        table ??= validation.map((_, j) => names.map((__, wanted) => found(j, wanted, all)));
        return meanOfKnown(validation.map((wanted, j) => table![j][order ? order[wanted] : wanted]));
      };
    },
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

function correlation(a: readonly number[], b: readonly number[], kind: Correlation): number | null {
  // Predictions that differ by rounding alone are no predictions.
  const size = Math.max(...a.map(Math.abs));
  const spread = Math.max(...a) - Math.min(...a);
  if (a.length < 3 || spread <= 1e-12 * size) return null;
  return kind === 'spearman' ? spearman(a, b) : pearson(a, b);
}

function requireOneSize(groups: readonly (readonly number[])[]): void {
  const sizes = new Set(groups.map(({ length }) => length));
  if (sizes.size > 1) throw new Error(`groups of ${[...sizes].join(', ')} training samples are not of one size`);
}

function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum;
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
