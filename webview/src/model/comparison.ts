/**
 * From a comparison of prunings to what its page draws: quality against sparsity, or against the map where there is one
 * sparsity. Pure: no DOM.
 */
import type { ComparedMetric, ComparedPruning, PruningComparison } from '../../../protocol/pruning.ts';
import { formatNumber, formatShare } from './format.ts';
import type { Interval, Series } from './series.ts';

export const metricId = ({ task, metric }: Pick<ComparedMetric, 'task' | 'metric'>) => `${task} ${metric}`;

/** Metrics in the order of the first pruning that has them. */
export function metricsOf({ prunings }: PruningComparison): { id: string; name: string; higherIsBetter: boolean }[] {
  const found = new Map<string, { id: string; name: string; higherIsBetter: boolean }>();
  for (const { metrics } of prunings)
    for (const metric of metrics) {
      const id = metricId(metric);
      const { task, metric: name, higherIsBetter } = metric;
      if (!found.has(id)) found.set(id, { id, name: `${task}: ${name}`, higherIsBetter });
    }
  return [...found.values()];
}

export const metricAt = ({ metrics }: ComparedPruning, id: string): ComparedMetric | null =>
  metrics.find((metric) => metricId(metric) === id) ?? null;

export const isDense = ({ method }: ComparedPruning) => method === 'dense';

export interface QualityChart {
  /** What the places are. */
  axis: 'Sparsity' | 'Map';
  slots: string[];
  series: Series[];
  /** The model as it is. */
  dense: number | null;
}

const unique = <T>(values: readonly T[]) => [...new Set(values)];

/** @param method '' = all of them */
export function qualityChart({ prunings }: PruningComparison, id: string, method = ''): QualityChart {
  const denseRun = prunings.find(isDense);
  const dense = (denseRun && metricAt(denseRun, id)?.value) ?? null;
  const pruned = prunings.filter((pruning) => !isDense(pruning) && (method === '' || pruning.method === method));
  const sparsities = unique(pruned.map(({ sparsity }) => sparsity)).sort((a, b) => a - b);
  const maps = unique(pruned.map(({ map }) => map));
  const methods = unique(pruned.map(({ method }) => method));
  const find = (way: string, map: string, sparsity: number) =>
    pruned.find((one) => one.method === way && one.map === map && one.sparsity === sparsity);
  const values = (found: (ComparedPruning | undefined)[]) => {
    const metrics = found.map((one) => (one ? metricAt(one, id) : null));
    return {
      values: metrics.map((metric) => metric?.value ?? null),
      intervals: metrics.map((metric): Interval | null => metric?.interval ?? null),
    };
  };
  if (sparsities.length === 1)
    return {
      axis: 'Map',
      slots: maps.map(mapName),
      dense,
      series: methods.map((way, style): Series => ({
        name: way,
        style,
        mark: 'bars',
        ...values(maps.map((map) => find(way, map, sparsities[0]!))),
      })),
    };
  const lines = methods.flatMap((way) => maps.map((map) => ({ way, map })));
  return {
    axis: 'Sparsity',
    slots: sparsities.map((sparsity) => formatShare(sparsity)),
    dense,
    series: lines.map(({ way, map }, style): Series => ({
      name: methods.length > 1 ? `${way}, ${mapName(map)}` : mapName(map),
      style,
      mark: 'lines',
      ...values(sparsities.map((sparsity) => find(way, map, sparsity))),
    })),
  };
}

/** A file's name without its folders. */
export const mapName = (map: string) => map.slice(Math.max(map.lastIndexOf('/'), map.lastIndexOf('\\')) + 1);

/** Sparsity by layer of every map, of the first method and sparsity that has them. */
export function mapSeries({ prunings }: PruningComparison, sparsity: number): Series[] {
  const own = prunings.filter((pruning) => !isDense(pruning) && pruning.sparsity === sparsity);
  const first = new Map<string, ComparedPruning>();
  for (const pruning of own) if (!first.has(pruning.map)) first.set(pruning.map, pruning);
  return [...first.values()].map(({ map, layers }, style): Series => ({
    name: mapName(map),
    style,
    mark: 'lines',
    values: layers,
  }));
}

export const metricText = (value: number | null | undefined) => formatNumber(value, 3);

/** How sure it is that a map differs from the uniform one, in words. */
export function againstUniformWords({ againstUniform, higherIsBetter }: ComparedMetric): string {
  if (!againstUniform) return '';
  const { difference, interval, p } = againstUniform;
  // Of a perplexity the difference is that of the loss: less is better.
  const better = higherIsBetter ? difference > 0 : difference < 0;
  const sure = interval !== null && (interval[0] > 0 || interval[1] < 0);
  const words = !sure ? 'no clear difference' : better ? 'better' : 'worse';
  return `${words}, p ${p < 0.001 ? '< 0.001' : p.toFixed(3)}`;
}
