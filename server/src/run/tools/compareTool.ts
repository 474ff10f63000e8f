/** `compare`: how alike the order of layers is. */
import type { EstimatorId } from '../../../../protocol/experiment.ts';
import { correlationText } from '../../../../protocol/readability.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import type { ComparedPair, Comparison } from '../../../../protocol/trust.ts';
import { nth } from '../../lists/nth.ts';
import { compareRuns } from '../influence/compare.ts';
import type { ToolValues } from './input.ts';
import type { ToolContext } from './types.ts';

/** @throws LayerifError `badRequest` as `compareRuns` */
export async function compareTool(
  { results, task, estimators }: ToolValues,
  { folders, signal }: ToolContext,
): Promise<ToolAnswer> {
  const files = (results as readonly string[]).map((named) => folders.inside(named));
  const comparison = await compareRuns(files, {
    tasks: task === undefined ? undefined : [String(task)],
    estimators: estimators as readonly EstimatorId[] | undefined,
    signal,
  });
  const { series, pairs, settings, level, notes } = comparison;
  return {
    text: comparisonText(comparison),
    data: {
      series: series.map(({ label, file, task: own, estimator }) => ({ label, file, task: own, estimator })),
      pairs: pairs.map(({ a, b, spearman, kendall, topK }) => ({ a, b, spearman, kendall, topK })),
      settings,
      level,
      notes,
    },
  };
}

function comparisonText({ series, pairs, settings, level, layers, notes }: Comparison): string {
  const label = (index: number) => nth(series, index).label;
  const pair = ({ a, b, spearman, topK }: ComparedPair) => {
    const { value, interval, p } = spearman;
    const around = interval
      ? ` (${Math.round(100 * level)} % interval ${interval.map(correlationText).join(' to ')})`
      : '';
    return `${label(a)} and ${label(b)}: Spearman correlation ${correlationText(value)}${around}${p === null ? '' : `, p ${p.toPrecision(2)}`}; of the ${topK.k} highest layers ${topK.shared} are the same, by chance it would be ${(topK.k * topK.chance).toFixed(1)}.`;
  };
  return [
    `Scores of ${layers} layers.`,
    ...pairs.map(pair),
    ...settings.map(
      ({ setting, values }) =>
        `The runs differ in ${setting}: ${values.map((value) => value ?? 'not set').join(' against ')}.`,
    ),
    ...notes,
  ].join('\n');
}
