/**
 * What the protocols of `layerif validate` measure: statistics of predicted influence B (training samples x validation
 * samples, positive = helps) or of a score per training sample, with the levels that could have been others and the
 * orders under which a predictor that knows nothing is as likely. To add one, return an `Agreement`.
 */
import { mean } from '../statistics/moments.ts';
import type { Random } from '../random/random.ts';
import { auc } from '../statistics/auc.ts';
import { pearson, spearman } from '../statistics/rankCorrelation.ts';
import { aucWithoutEach, pearsonWithoutEach, spearmanWithoutEach } from '../statistics/withoutEach.ts';
import type { Halves, Level, Statistic } from './resampling.ts';

export interface Agreement {
  /** What is compared, such as subsets: the statistic is close to a mean over them. See jackknife.ts. */
  units: readonly Level[];
  /** What every unit hangs on and what could have been others, too. */
  others: readonly Level[];
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
  const truths = Array.from({ length: m }, (_, j) => losses.map((row) => -row[j]));
  const rows = Array.from({ length: n }, (_, i) => i);
  return {
    units: [{ name: 'subsets', count: subsets.length }],
    others: [
      { name: 'training', count: n },
      { name: 'validation', count: m },
    ],
    range: [-1, 1],
    shuffled: (random) => random.permutation(n),
    of(B) {
      const centers = truths.map((_, j) => rows.reduce((sum, i) => sum + B[i * m + j], 0) / n);
      const predicted = remembered((kept: Kept) =>
        truths.map((_, j) =>
          subsets.map((subset) => subset.reduce((sum, i) => sum + (kept && !kept[i] ? centers[j] : B[i * m + j]), 0)),
        ),
      );
      const perQuery = remembered((kept: Kept) =>
        truths.map((truth, j) => correlation(predicted(kept)[j], truth, 'spearman')),
      );
      const perQueryWithout = remembered((kept: Kept) =>
        truths.map((truth, j) => correlationsWithoutEach(predicted(kept)[j], truth, 'spearman')),
      );
      const chosen = (halves?: Halves) =>
        truths.flatMap((_, j) => (halves?.get('validation')?.[j] === false ? [] : [j]));
      return {
        value({ halves, order } = {}) {
          if (!order) return meanOfKnown(chosen(halves).map((j) => perQuery(halves?.get('training'))[j]));
          const moved = (j: number) => subsets.map((own) => own.reduce((sum, i) => sum + B[order[i] * m + j], 0));
          return meanOfKnown(truths.map((truth, j) => correlation(moved(j), truth, 'spearman')));
        },
        withoutEach(halves) {
          const own = perQueryWithout(halves?.get('training'));
          return [subsets.map((_, k) => meanOfKnown(chosen(halves).map((j) => own[j][k])))];
        },
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
  const total = remembered((kept: Kept) => changes.map((row) => sumOf(row, kept)));
  return {
    units: [{ name: 'groups', count: groups.length }],
    others: [...(single ? [] : [{ name: 'training', count: n }]), { name: 'validation', count: m }],
    range: [-1, 1],
    // Single samples may have been chosen, by their loss say: then they are like each other, not like all others.
    shuffled(random) {
      if (!single) return random.permutation(n);
      const order = Array.from({ length: n }, (_, i) => i);
      random.permutation(groups.length).forEach((from, to) => (order[groups[to][0]] = groups[from][0]));
      return order;
    },
    of(B) {
      const sums = remembered((kept: Kept) => overColumns(B, n, m, kept));
      const predicted = remembered((queries: Kept) =>
        remembered((kept: Kept) => {
          const own = sums(queries);
          const center = sumOf(own) / n;
          return groups.map((group) => group.reduce((sum, i) => sum + (kept && !kept[i] ? center : own[i]), 0));
        }),
      );
      return {
        value({ halves, order } = {}) {
          const queries = halves?.get('validation');
          const guess = order
            ? groups.map((group) => group.reduce((sum, i) => sum + sums(queries)[order[i]], 0))
            : predicted(queries)(halves?.get('training'));
          return correlation(guess, total(queries), kind);
        },
        withoutEach(halves) {
          const queries = halves?.get('validation');
          return [correlationsWithoutEach(predicted(queries)(halves?.get('training')), total(queries), kind)];
        },
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
  const changed = flipped.filter(Boolean).length;
  return {
    units: [
      { name: 'changed', count: changed },
      { name: 'unchanged', count: n - changed },
    ],
    others: m > 0 ? [{ name: 'validation', count: m }] : [],
    range: [0, 1],
    shuffled: (random) => random.permutation(n),
    of(values) {
      const suspicions = remembered((kept: Kept) =>
        m > 0 ? overColumns(values, n, m, kept).map((sum) => -sum) : values,
      );
      return {
        value({ halves, order } = {}) {
          const own = suspicions(halves?.get('validation'));
          return auc(order ? order.map((i) => own[i]) : own, flipped);
        },
        withoutEach(halves) {
          const { positive, negative } = aucWithoutEach(suspicions(halves?.get('validation')), flipped);
          return [positive, negative];
        },
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
    units: [{ name: 'classes', count: names.length }],
    others: [],
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
      return {
        value({ order } = {}) {
          table ??= validation.map((_, j) => names.map((__, wanted) => found(j, wanted, all)));
          return meanOfKnown(validation.map((wanted, j) => table![j][order ? order[wanted] : wanted]));
        },
        withoutEach() {
          const values = names.map((_, gone) => {
            const kept = all.filter((i) => train[i] !== gone);
            return meanOfKnown(validation.map((wanted, j) => (wanted === gone ? null : found(j, wanted, kept))));
          });
          return [values];
        },
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

/** Row sums of an n x m matrix. @param kept columns; default all */
export function overColumns(B: Float64Array, n: number, m: number, kept?: readonly boolean[]): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < m; j++) if (!kept || kept[j]) sum += B[i * m + j];
    return sum;
  });
}

type Kept = readonly boolean[] | undefined;

/** The same answer for the same question. */
function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key)!;
  };
}

function correlation(a: readonly number[], b: readonly number[], kind: Correlation): number | null {
  if (a.length < 3 || saysNothing(a)) return null;
  return kind === 'spearman' ? spearman(a, b) : pearson(a, b);
}

function correlationsWithoutEach(a: readonly number[], b: readonly number[], kind: Correlation): (number | null)[] {
  if (a.length < 4) return a.map(() => null);
  const values = kind === 'spearman' ? spearmanWithoutEach(a, b) : pearsonWithoutEach(a, b);
  return values.map((value, k) => (saysNothing(a, k) ? null : value));
}

/** Predictions that differ by rounding alone are no predictions. @param dropped one that is left out */
function saysNothing(values: readonly number[], dropped = -1): boolean {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (i === dropped) continue;
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high));
}

function requireOneSize(groups: readonly (readonly number[])[]): void {
  const sizes = new Set(groups.map(({ length }) => length));
  if (sizes.size > 1) throw new Error(`groups of ${[...sizes].join(', ')} training samples are not of one size`);
}

function meanOfKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : mean(known);
}

function sumOf(values: ArrayLike<number>, kept?: Kept): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (!kept || kept[i]) sum += values[i];
  return sum;
}
