/** What `score` and `estimate` print for people. Pure: a result or an estimate in, text out. */
import type { Result, ResultTask } from '../../../protocol/result.ts';
import type { Estimate } from '../../../protocol/run.ts';
import { subsampleWords } from '../../../protocol/subsample.ts';
import { barChart } from './chart.ts';
import { planText } from '../run/influence/estimate.ts';
import { count, counted, duration, percent, table } from './format.ts';
import { bytesText } from '../text/bytes.ts';
import { highlightLines } from './highlights.ts';
import type { Agreements } from '../run/influence/agreement.ts';
import { trustLines } from './trust.ts';
import type { Page } from './types.ts';

const aggregationWords = {
  positive: 'the sum of its helpful samples',
  top25: 'the sum of the most helpful quarter of its helpful samples',
  sum: 'the sum of all its samples, helpful minus harmful',
} as const;

/** Task -> training sample -> text. */
export type SampleTexts = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** @param agreements task -> what other estimators and dampings say, where that was computed */
export function scoreReport(
  result: Result,
  resultFile: string,
  texts: SampleTexts,
  page: Page,
  agreements: ReadonlyMap<string, Agreements> = new Map(),
): string {
  const { model, provenance, experiment } = result;
  return [
    ...result.tasks.flatMap((task) => [
      ...taskReport(result, task, page),
      '',
      ...highlightLines(result, task, texts.get(task.task) ?? new Map(), page),
      '',
    ]),
    `Influence: positive = helps validation (more of that sample lowers the validation loss), negative = harms it.`,
    `A layer's score is ${aggregationWords[experiment.score.aggregation]}. Compare layers within a task; the scale itself has no meaning.`,
    '',
    ...methodLines(result),
    `Scored: ${percent(model.coverage)} of the weights of the layers' matrices, ${percent(model.scoredParameters / model.parameters)} of the weights of the model (${count(model.scoredParameters)} of ${count(model.parameters)}).`,
    '',
    ...result.tasks.flatMap((task) => [
      `${task.task}: how far to trust the order of layers`,
      ...trustLines(result, task, agreements.get(task.task)),
      '',
    ]),
    `Time ${duration(provenance.seconds.total ?? 0)}, peak memory ${bytesText(provenance.peakMemoryBytes)}, ${provenance.device}, ${counted(provenance.threads, 'thread')}.`,
    `Result ${resultFile}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** What was approximated, and how. */
export function methodLines({ score, provenance, tasks }: Result): string[] {
  const { fisher, projection, accumulate } = score;
  const labels = { true: `labels drawn from the model, seed ${provenance.seed}`, empirical: 'labels of the texts' };
  const lines = fisher ? [`EK-FAC with the ${fisher} Fisher (${labels[fisher]}).`] : [];
  if (accumulate === 'sums') {
    const chosen = tasks.flatMap((task) => {
      const words = subsampleWords(task);
      return words === null ? [] : [`${words}${tasks.length > 1 ? ` of ${task.task}` : ''}`];
    });
    lines.push(
      `Influence is exact, from sums of gradients: that of all validation samples together. Inner products of pairs, for intervals and other estimators, are of ${chosen.join(', ')} (seed ${provenance.seed}).`,
    );
  }
  if (!projection) return lines;
  const { rank, seed, error } = projection;
  lines.push(`Gradients are projected to ${rank} numbers a side (seed ${seed}), so scores are approximate.`);
  for (const { task, train, validation, estimator, spearman, gramError, largestGramError } of error) {
    const samples = `${count(train)} train × ${count(validation)} validation samples`;
    const found = spearman === null ? '' : `: rank correlation of the layers ${spearman.toFixed(2)} (${estimator})`;
    const off = `inner products off by ${percent(gramError)} in the median matrix, ${percent(largestGramError)} in the worst`;
    lines.push(`Exact beside projected on ${samples} of ${task}${found}; ${off}.`);
  }
  return lines;
}

function taskReport(result: Result, task: ResultTask, page: Page): string[] {
  const { train, validation, layers } = task;
  const title = `${task.task}: ${count(train.samples)} train × ${count(validation.samples)} validation, ${result.score.estimator}, ${result.model.name}`;
  const cut = train.truncated + validation.truncated;
  const zero = layers.flatMap((layer) => (layer.zeroGradient ?? []).map((module) => `${layer.index} ${module}`));
  return [
    title,
    ...(cut > 0 ? [`${counted(cut, 'sample')} cut to max_length ${result.experiment.model.max_length} tokens.`] : []),
    ...(zero.length > 0 ? [`No gradient at all, so influence 0 by definition: ${zero.join(', ')}.`] : []),
    '',
    ...barChart(
      layers.map(({ index, score: value, interval, rankInterval, unstable }) => ({
        label: String(index),
        value,
        interval,
        note: rankInterval && `${rankInterval.join('-')}${unstable ? ' ?' : ''}`,
      })),
      { width: page.width, noteHeading: task.uncertainty ? 'rank' : '' },
    ),
    ...uncertaintyLines(task),
    ...convergenceLines(task),
  ];
}

/** What the whiskers and ranks mean, and how alike two halves of the samples are. */
function uncertaintyLines({ uncertainty, layers }: ResultTask): string[] {
  if (!uncertainty) return [];
  const { level, replicates, curvature, unstable, of } = uncertainty;
  const part = curvature === 'fixed' ? ', with the curvature of all samples, so they are somewhat too narrow' : '';
  const lines = [
    '',
    `├ ┤ and rank: where ${Math.round(100 * level)} % of other samples of the same kind, ${of ? `${count(of.train)} × ${count(of.validation)} of them` : 'as many as these'}, fall by ${count(replicates)} draws${part}.`,
  ];
  if (unstable > 0) {
    lines.push(
      `? ${unstable} of ${counted(layers.length, 'layer')}: the rank may lie in more than a third of all ranks.`,
    );
  }
  return lines;
}

function convergenceLines({ layers }: ResultTask): string[] {
  const open = layers.filter(({ convergence }) => convergence && !convergence.converged);
  if (open.length === 0) return [];
  const worst = open.reduce((a, b) => (a.convergence!.residual > b.convergence!.residual ? a : b));
  const { module, iterations, residual } = worst.convergence!;
  return [
    `Warning: LiSSA did not converge in ${counted(open.length, 'layer')}; worst: layer ${worst.index} ${module}, residual ${residual.toExponential(1)} after ${count(iterations)} steps. Raise the damping factor or use estimator fisher.`,
  ];
}

/** One line before a run starts. */
export function planLine(estimate: Estimate): string {
  const { model, tasks, plan, seconds, memoryBytes, memoryLimitBytes, device, threads } = estimate;
  const projected = plan.projection ? `, gradients projected to rank ${plan.projection}` : plan.sums ? ', by sums' : '';
  const samples = tasks
    .map(({ task, train, validation }) => `${task} ${count(train)} × ${count(validation)}`)
    .join(', ');
  return `${model.name} (${counted(model.layers, 'layer')}), ${samples}${projected}: about ${duration(seconds)}, ${bytesText(memoryBytes)} of ${bytesText(memoryLimitBytes)}, ${device}, ${counted(threads, 'thread')}`;
}

export function estimateReport(estimate: Estimate): string {
  const { model, plan, memoryParts } = estimate;
  const parts = Object.entries(memoryParts).map(([name, value]) => `${name} ${bytesText(value)}`);
  const rows = estimate.tasks.map(({ task, train, validation, tokens, truncated, seconds }) => [
    task,
    count(train),
    count(validation),
    count(tokens),
    count(truncated),
    duration(seconds),
  ]);
  return [
    `${model.name}: ${model.family}, ${counted(model.layers, 'layer')}, ${count(model.parameters)} weights, ${count(model.scoredParameters)} scored (coverage ${percent(model.coverage)})`,
    '',
    ...table([['task', 'train', 'validation', 'tokens', 'cut', 'time'], ...rows], [1, 2, 3, 4, 5]),
    '',
    ...table([
      ['Plan', planText(plan)],
      [
        'Device',
        `${estimate.device}, ${counted(estimate.threads, 'thread')}, ${(estimate.flopsPerSecond / 1e9).toFixed(0)} GFLOP/s measured`,
      ],
      ['Time', `about ${duration(estimate.seconds)}`],
      [
        'Memory',
        `${bytesText(estimate.memoryBytes)} of ${bytesText(estimate.memoryLimitBytes)} allowed${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`,
      ],
      ['Disk', `${bytesText(estimate.diskBytes)} of ${bytesText(estimate.diskFreeBytes)} free`],
    ]),
    ...estimate.warnings.map((warning) => `Warning: ${warning}`),
    ...(estimate.refusal === null ? [] : [`Does not fit: ${estimate.refusal}`]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
