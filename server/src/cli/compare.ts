/** `layerif compare RESULT RESULT...`: how alike the layer scores of tasks, estimators, models or runs are. */
import path from 'node:path';
import type { EstimatorId } from '../../../protocol/experiment.ts';
import type { ComparedStatistic, Comparison } from '../../../protocol/trust.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../protocol/scores.ts';
import { compareRuns } from '../run/influence/compare.ts';
import { compareScores } from '../run/influence/compareScores.ts';
import { scoresComparisonReport } from './compareScoresReport.ts';
import { percent, table } from './format.ts';
import { readCount, readList } from './lists.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

export const compare: Command = {
  name: 'compare',
  argument: 'RESULT|SCORES',
  several: true,
  summary: 'compare layer scores of tasks, estimators, models or runs, or tables of scores',
  details:
    'RESULT RESULT... are complete *.layerif-result.json files; one alone compares its tasks, or its estimators with --estimator.\n' +
    'Intervals come from the Grams beside each result. Other estimators are computed from them too; nothing runs on the model.\n' +
    `*${SCORES_SUFFIX} files: tables of one file with each other, or those that several files have; a result among them takes part with its\n` +
    'influence. --by ID picks scores. Intervals draw the texts anew from the observations beside the file.',
  options: ['task', 'estimator', 'by', 'top-k', 'by-depth', 'json'],
  words: {
    by: { value: 'ID', help: 'scores to compare, several with commas (default: all with a value for each layer)' },
    'top-k': { help: 'how many of the highest layers are compared (default: a quarter of the layers)' },
    estimator: { help: "estimators to compare, several with commas (default: the run's own)" },
  },

  async run(argument, options, terminal) {
    const files = [argument, ...options.more].map((file) => path.resolve(terminal.baseDir, file));
    const { values, flags } = options;
    if (files.some((file) => file.endsWith(SCORES_SUFFIX))) {
      for (const name of ['task', 'estimator'] as const) {
        if (name === 'task' ? options.task.length === 0 : values[name] === undefined) continue;
        throw new LayerifError(
          'badRequest',
          `--${name} picks scores of results; of *${SCORES_SUFFIX} files scores are picked with --by ID`,
        );
      }
      const compared = await compareScores(files, {
        by: values.by === undefined ? undefined : readList(values.by),
        byDepth: flags.has('by-depth'),
        topK: values['top-k'] === undefined ? undefined : readCount('top-k', values['top-k']),
        signal: terminal.signal,
      });
      terminal.out(options.json ? `${JSON.stringify(compared)}\n` : scoresComparisonReport(compared));
      return 0;
    }
    if (values.by !== undefined)
      throw new LayerifError(
        'badRequest',
        `--by ${values.by} picks tables of a *${SCORES_SUFFIX} file, and none is named; results are compared by their influence`,
      );
    const comparison = await compareRuns(files, {
      tasks: options.task,
      estimators: values.estimator === undefined ? undefined : (readList(values.estimator) as EstimatorId[]),
      byDepth: flags.has('by-depth'),
      topK: values['top-k'] === undefined ? undefined : readCount('top-k', values['top-k']),
      signal: terminal.signal,
    });
    terminal.out(options.json ? `${JSON.stringify(comparison)}\n` : comparisonReport(comparison));
    return 0;
  },
};

export function comparisonReport(comparison: Comparison): string {
  const { series, runs, settings, pairs, matrix, layers, byDepth, level, notes } = comparison;
  const letters = series.map((_, i) => (i < 26 ? String.fromCharCode(65 + i) : String(i + 1)));
  const rows = pairs.map(({ a, b, spearman, kendall, topK, samples }) => [
    `${letters[a]} ${letters[b]}`,
    ...statistic(spearman),
    ...statistic(kendall),
    `${topK.shared} of ${topK.k}`,
    percent(topK.chance),
    probability(topK.p),
    ...(samples ? [samples.mean, samples.rank, samples.vote].map(correlation) : ['', '', '']),
  ]);
  const shared = `top ${nth(pairs, 0).topK.k}`;
  const interval = percent(level).replace('.0 ', ' ');
  const head = ['', 'Spearman', interval, 'p', 'Kendall', interval, 'p', shared, 'chance', 'p', 'mean', 'rank', 'vote'];
  const cut = pairs.some(({ samples }) => samples) ? head.length : head.length - 3;
  return [
    `${series.length} rankings of ${layers} layers${byDepth ? ', by relative depth' : ''}`,
    ...series.map(({ label, replicates }, i) => {
      return `  ${letters[i]}  ${label}${replicates > 0 ? '' : ' (without intervals)'}`;
    }),
    '',
    ...table(
      [head, ...rows].map((row) => row.slice(0, cut)),
      head.map((_, i) => i).slice(1),
    ),
    '',
    ...(settings.length > 0
      ? [
          'Settings that differ',
          ...table(
            [['', ...runs], ...settings.map(({ setting, values }) => [setting, ...values.map((one) => one ?? '-')])],
            [],
          ),
          '',
        ]
      : []),
    ...(series.length > 2
      ? [
          'Spearman of every pair',
          ...table(
            [['', ...letters], ...matrix.map((row, i) => [nth(letters, i), ...row.map(correlation)])],
            letters.map((_, i) => i + 1),
          ),
          '',
        ]
      : []),
    `Correlations are of the layer scores: 1 the same order, 0 none, -1 the reverse. Intervals hold the value: other samples of the same kind, as many as these.`,
    `p beside Spearman and Kendall: share of random layer orders whose correlation is at least as far from 0, in either direction (two-sided).`,
    `p beside ${shared}: probability that a random layer order shares at least as many (one-sided). Chance: the mean share of a random order.`,
    ...(cut === head.length
      ? [
          'mean, rank, vote: Spearman of the training samples, their influence brought together over layers (arXiv 2511.04715).',
        ]
      : []),
    ...notes,
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function statistic({ value, interval, p }: ComparedStatistic): string[] {
  const between = interval ? `${correlation(interval[0])} to ${correlation(interval[1])}` : '';
  return [correlation(value), between, p === null ? '' : probability(p)];
}

function correlation(value: number | null): string {
  return value === null ? '-' : value.toFixed(2);
}

function probability(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3);
}
