/** Outcomes of documents -> the numbers of a task, in the words and keys of lm-evaluation-harness. */
import type { OutputType } from '../../../protocol/experiment.ts';
import { metricsOf, withOptions } from './metrics.ts';
import type { Metric, Outcome } from './metrics.ts';
import { nth } from '../lists/nth.ts';
import { entry } from '../lists/entry.ts';

export interface TaskSummary {
  /** `<metric>,<filter>` and `<metric>_stderr,<filter>`; the filter is `none` but for written answers. */
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

/** @param answers of written texts, by filter: one for each document */
export function summarise(
  metrics: readonly Metric[],
  outcomes: readonly Outcome[],
  answers: Readonly<Record<string, readonly (string | string[])[]>> = {},
): TaskSummary {
  const results: Record<string, number | string> = {};
  const higherIsBetter: Record<string, boolean> = {};
  const contributions = outcomes.map((): Record<string, number> => ({}));
  for (const metric of metrics) {
    for (const filter of metric.written ? Object.keys(answers) : ['none']) {
      const items = outcomes.map((outcome, i) =>
        metric.of(metric.written ? { ...outcome, answer: entry(answers, filter)[i] } : outcome),
      );
      const name = filter === 'none' ? metric.id : `${metric.id},${filter}`;
      if (!metric.joint) items.forEach(([value], i) => (nth(contributions, i)[name] = value));
      results[`${metric.id},${filter}`] = metric.aggregate(items);
      results[`${metric.id}_stderr,${filter}`] = metric.standardError(items) ?? 'N/A';
    }
    higherIsBetter[metric.id] = metric.higherIsBetter;
  }
  return { results, higherIsBetter, contributions };
}
