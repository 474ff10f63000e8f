/** Outcomes of documents -> the numbers of a task, in the words and keys of lm-evaluation-harness. */
import type { OutputType } from '../../../protocol/experiment.ts';
import { metricsOf, withOptions } from './metrics.ts';
import type { Metric, Outcome } from './metrics.ts';

export interface TaskSummary {
  /** `<metric>,none` and `<metric>_stderr,none`. */
  results: Record<string, number | string>;
  higherIsBetter: Record<string, boolean>;
  /** Per document: what it contributes to each metric. */
  contributions: Record<string, number>[];
}

/** An entry of `metric_list`. */
export interface Asked {
  name: string;
  /** The other keys of the entry. */
  entry: Readonly<Record<string, unknown>>;
}

/** The metrics that a task asks for and that there are, else the default ones of its output type. */
export function chosenMetrics(outputType: OutputType, asked: readonly Asked[] | undefined): Metric[] {
  const known = metricsOf(outputType);
  if (!asked || asked.length === 0) return known.filter((metric) => metric.byDefault);
  return asked.flatMap(({ name, entry }) => {
    const found = known.find((metric) => metric.id === name);
    return found ? [withOptions(found, entry)] : [];
  });
}

export function summarise(metrics: readonly Metric[], outcomes: readonly Outcome[]): TaskSummary {
  const results: Record<string, number | string> = {};
  const higherIsBetter: Record<string, boolean> = {};
  const contributions = outcomes.map((): Record<string, number> => ({}));
  for (const metric of metrics) {
    const items = outcomes.map((outcome) => metric.of(outcome));
    if (!metric.joint) items.forEach(([value], i) => (contributions[i][metric.id] = value));
    results[`${metric.id},none`] = metric.aggregate(items);
    results[`${metric.id}_stderr,none`] = metric.standardError(items) ?? 'N/A';
    higherIsBetter[metric.id] = metric.higherIsBetter;
  }
  return { results, higherIsBetter, contributions };
}
