/**
 * Prunings of one model against each other: intervals and paired tests from what every document contributed. Documents
 * are the same for all, so differences are taken document by document.
 */
import type { ComparedMetric, ComparedPruning } from '../../../protocol/pruning.ts';
import { Random } from '../random/random.ts';
import { bootstrapInterval } from '../statistics/bootstrap.ts';
import { pairedDifference } from '../statistics/paired.ts';
import { nth } from '../lists/nth.ts';
import { entry } from '../lists/entry.ts';

/** Task -> one entry per document: metric -> contribution; a perplexity has the mean loss of each window as `loss`. */
export type Contributions = Record<string, Record<string, number>[]>;

const LEVEL = 0.95;

/** A metric that has one number per document, and what the mean of these numbers becomes. */
interface Compared {
  metric: string;
  /** Key in the contributions. */
  key: string;
  higherIsBetter: boolean;
  of: (mean: number) => number;
}

const compared: readonly Compared[] = [
  { metric: 'acc', key: 'acc', higherIsBetter: true, of: (mean) => mean },
  { metric: 'acc_norm', key: 'acc_norm', higherIsBetter: true, of: (mean) => mean },
  { metric: 'perplexity', key: 'loss', higherIsBetter: false, of: Math.exp },
];

/**
 * @param own contributions of this pruning
 * @param dense of the model as it is
 * @param uniform of the uniform map in the same setting; null for itself
 */
export function compareMetrics(
  own: Contributions,
  dense: Contributions,
  uniform: Contributions | null,
  seed: number,
): ComparedMetric[] {
  return Object.entries(own).flatMap(([task, documents]) =>
    compared
      .filter(({ key }) => key in (documents[0] ?? {}))
      .map(({ metric, key, higherIsBetter, of }): ComparedMetric => {
        const values = documents.map((d) => entry(d, key));
        const others = (contributions: Contributions) => entry(contributions, task).map((d) => entry(d, key));
        const random = new Random(seed, `${task} ${metric}`);
        const ofUnits = (units: Int32Array) => units.reduce((sum, i) => sum + nth(values, i), 0) / units.length;
        const interval =
          values.length < 2
            ? null
            : bootstrapInterval(values.length, ofUnits, { random, replicates: 2000, level: LEVEL });
        const [value, before] = [of(mean(values)), of(mean(others(dense)))];
        return {
          task,
          metric,
          higherIsBetter,
          value,
          interval: interval && [of(interval[0]), of(interval[1])],
          documents: values.length,
          againstUniform: uniform && paired(values, others(uniform), random),
          drop: higherIsBetter ? before - value : value / before - 1,
        };
      }),
  );
}

function paired(a: number[], b: number[], random: Random): NonNullable<ComparedMetric['againstUniform']> {
  const { difference, interval, p } = pairedDifference(a, b, random, LEVEL);
  return { difference, interval, p };
}

/** Below this p a difference is called one. */
const SIGNIFICANT = 0.05;

/** Maps whose shares of zeros lie further apart are not compared at one sparsity. */
const SAME_SPARSITY = 0.005;

/**
 * What limits the comparison, then one sentence per method, sparsity and metric: which map is best, and whether it is
 * better than uniform. A metric of which the model as it is has 0 names no best: there is nothing to lose.
 */
export function findingsOf(prunings: readonly ComparedPruning[]): string[] {
  const dense = prunings.find(({ method }) => method === 'dense');
  const nothing = (dense?.metrics ?? []).filter(({ higherIsBetter, value }) => higherIsBetter && value === 0);
  const isNothing = ({ task, metric }: ComparedMetric) =>
    nothing.some((own) => own.task === task && own.metric === metric);
  const zeros = nothing.map(
    ({ task, metric, documents }) =>
      `${task}, ${metric}: the model as it is has 0 on its ${documents} documents, so there is nothing to lose and no map is called best; judge by another measure or task.`,
  );
  const groups = new Map<string, ComparedPruning[]>();
  for (const pruning of prunings) {
    if (pruning.method === 'dense') continue;
    const key = `${pruning.method} ${pruning.structure} at ${percent(pruning.sparsity)}`;
    groups.set(key, [...(groups.get(key) ?? []), pruning]);
  }
  const best = [...groups].flatMap(([setting, members]) =>
    members.length < 2
      ? []
      : nth(members, 0).metrics.flatMap((row, m) => {
          if (isNothing(row)) return [];
          const { task, metric, higherIsBetter } = row;
          const sorted = members.toSorted((a, b) =>
            higherIsBetter
              ? nth(b.metrics, m).value - nth(a.metrics, m).value
              : nth(a.metrics, m).value - nth(b.metrics, m).value,
          );
          const best = nth(sorted, 0);
          const own = nth(best.metrics, m).againstUniform;
          const certainty =
            best.map === 'uniform'
              ? 'no map is better than uniform'
              : own === null
                ? 'uniform was not measured'
                : own.p < SIGNIFICANT
                  ? `better than uniform (p ${own.p.toFixed(3)})`
                  : `not distinguishable from uniform (p ${own.p.toFixed(2)}, ${nth(best.metrics, m).documents} documents)`;
          return [
            `${task}, ${metric}, ${setting}: best is ${best.map} with ${nth(best.metrics, m).value.toPrecision(4)}, ${certainty}.`,
          ];
        }),
  );
  return [...zeros, ...[...groups].flatMap(([setting, members]) => unequal(setting, members)), ...best];
}

/** That maps remove different shares, which by itself moves quality. */
function unequal(setting: string, members: readonly ComparedPruning[]): string[] {
  const sorted = members.toSorted((a, b) => a.achieved - b.achieved);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (!least || !most || most.achieved - least.achieved <= SAME_SPARSITY) return [];
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  return [
    `${setting}: the maps do not remove the same share, ${least.map} ${share(least.achieved)} and ${most.map} ${share(most.achieved)} of the weights; whoever removes less has an advantage.`,
  ];
}

/** @returns one sentence for every metric that falls by more than `maxDrop` */
export function gateFailures({ map, method, sparsity, metrics }: ComparedPruning, maxDrop: number): string[] {
  return metrics
    .filter(({ drop }) => drop > maxDrop)
    .map(
      ({ task, metric, drop, higherIsBetter }) =>
        `${task}, ${metric}: ${method} at ${percent(sparsity)} with map ${map} ${higherIsBetter ? 'falls' : 'rises'} by ${drop.toFixed(4)}${higherIsBetter ? '' : ' of its value'}, allowed is ${maxDrop}`,
    );
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
