/**
 * Allocations of experts against each other: mean over seeds with its standard error, and differences to the first
 * allocation on the same documents. Two things vary, seeds and documents, and both are told: the interval and the test
 * are over documents, of the mean over the seeds; the standard error beside them is over seeds, of trainings with the
 * same initial weights and batches.
 */
import type { ExpertsDifference, ExpertsMetric } from '../../../protocol/experts.ts';
import { Random } from '../random/random.ts';
import { pairedDifference } from '../statistics/paired.ts';
import { mean } from './comparison.ts';
import { nth } from '../lists/nth.ts';
import { entry } from '../lists/entry.ts';

/** Metric -> one number per document. */
export type DocumentValues = Record<string, number[]>;

export interface ComparedId {
  id: string;
  /** One per seed. */
  seeds: DocumentValues[];
}

/** @returns one list per allocation, in their order; an allocation without a finished training has none */
export function compareAllocations(
  allocations: readonly ComparedId[],
  higherIsBetter: Record<string, boolean>,
  seed: number,
): ExpertsMetric[][] {
  const first = nth(allocations, 0);
  return allocations.map((own) => {
    if (own.seeds.length === 0) return [];
    return Object.keys(nth(own.seeds, 0)).map((metric): ExpertsMetric => {
      const values = own.seeds.map((documents) => mean(entry(documents, metric)));
      return {
        metric,
        higherIsBetter: entry(higherIsBetter, metric),
        mean: mean(values),
        standardError: standardError(values),
        values,
        againstFirst:
          own === first ? null : difference(own.seeds, first.seeds, metric, new Random(seed, `${own.id} ${metric}`)),
      };
    });
  });
}

/** Over the seeds that both have. */
function difference(
  own: readonly DocumentValues[],
  first: readonly DocumentValues[],
  metric: string,
  random: Random,
): ExpertsDifference | null {
  const seeds = Math.min(own.length, first.length);
  if (seeds === 0) return null;
  const perDocument = (list: readonly DocumentValues[]): number[] =>
    entry(nth(list, 0), metric).map((_, d) =>
      mean(list.slice(0, seeds).map((documents) => nth(entry(documents, metric), d))),
    );
  const { difference: value, interval, p } = pairedDifference(perDocument(own), perDocument(first), random);
  const bySeed = Array.from(
    { length: seeds },
    (_, s) => mean(entry(nth(own, s), metric)) - mean(entry(nth(first, s), metric)),
  );
  return { difference: value, interval, p, standardError: standardError(bySeed) };
}

/** Sentences about the metric that decides, honest about what is noise. @param ids in the order of `metrics` */
export function findingsOf(ids: readonly string[], metrics: readonly ExpertsMetric[][]): string[] {
  const decisive = nth(metrics, 0)[0]?.metric;
  if (decisive === undefined || ids.length < 2) return [];
  const rows = ids.flatMap((id, i) => {
    const row = nth(metrics, i).find(({ metric }) => metric === decisive);
    return row ? [{ id, ...row }] : [];
  });
  const best = rows.reduce((a, b) => ((b.mean - a.mean) * (a.higherIsBetter ? 1 : -1) > 0 ? b : a));
  const tied = rows.filter(({ mean: value }) => value === best.mean).map(({ id }) => id);
  const apart = rows.filter(({ againstFirst }) => againstFirst?.interval && !contains(againstFirst.interval, 0));
  const close = rows.filter(({ againstFirst }) => againstFirst && !apart.some((r) => r.againstFirst === againstFirst));
  return [
    `Best mean ${decisive}: ${tied.join(', ')}; picked after the fact, so look at the differences.`,
    ...apart.map(({ id, againstFirst, higherIsBetter }) => {
      const better = againstFirst!.difference > 0 === higherIsBetter;
      return `${id} is ${better ? 'better' : 'worse'} than ${ids[0]} on these documents: the interval of the difference leaves out 0 (p ${againstFirst!.p.toFixed(3)}).`;
    }),
    ...(close.length === 0
      ? []
      : [`Not told apart from ${ids[0]} on these documents: ${close.map(({ id }) => id).join(', ')}.`]),
  ];
}

function contains([low, high]: readonly [number, number], value: number): boolean {
  return low <= value && value <= high;
}

/** Sample standard deviation / sqrt(n); null for fewer than two. */
function standardError(values: readonly number[]): number | null {
  const n = values.length;
  if (n < 2) return null;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (n - 1) / n);
}
