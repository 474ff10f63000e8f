/** Outcomes of documents -> the numbers of a task, in the words and keys of lm-evaluation-harness. */
import type { OutputType } from '../../../protocol/experiment.ts';
import { metricsOf } from './metrics.ts';
import type { Metric, Outcome } from './metrics.ts';

export interface TaskSummary {
  /** `<metric>,none` and `<metric>_stderr,none`. */
  results: Record<string, number | string>;
  higherIsBetter: Record<string, boolean>;
  /** Per document: what it contributes to each metric. */
  contributions: Record<string, number>[];
}

/**
 * The metrics that a task asks for, else the default ones of its output type.
 * @param asked ids of `metric_list`
 * @throws Error that names the metrics there are
 */
export function chosenMetrics(outputType: OutputType, asked: readonly string[] | undefined): Metric[] {
  const known = metricsOf(outputType);
  if (!asked || asked.length === 0) return known.filter((metric) => metric.byDefault);
  return asked.map((id) => {
    const found = known.find((metric) => metric.id === id);
    if (found) return found;
    throw new Error(
      `metric "${id}" is not available for output_type ${outputType}; available: ${known.map((m) => m.id).join(', ')}`,
    );
  });
}

export function summarise(metrics: readonly Metric[], outcomes: readonly Outcome[]): TaskSummary {
  const results: Record<string, number | string> = {};
  const higherIsBetter: Record<string, boolean> = {};
  const contributions = outcomes.map((): Record<string, number> => ({}));
  for (const metric of metrics) {
    const items = outcomes.map((outcome) => metric.of(outcome));
    items.forEach(([value], i) => (contributions[i][metric.id] = value));
    results[`${metric.id},none`] = metric.aggregate(items);
    results[`${metric.id}_stderr,none`] = metric.standardError(items) ?? 'N/A';
    higherIsBetter[metric.id] = metric.higherIsBetter;
  }
  return { results, higherIsBetter, contributions };
}
