/** `layerif damping RESULT`: how the ranking of layers depends on the damping factor. */
import path from 'node:path';
import { sweepSentences } from '../../../protocol/dampingSentences.ts';
import type { EstimatorId } from '../../../protocol/experiment.ts';
import type { DampingSweep } from '../../../protocol/trust.ts';
import { openRun } from '../run/influence/rescore.ts';
import { sweepDamping } from '../run/influence/sweepDamping.ts';
import { table } from './format.ts';
import { readFactors } from './lists.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

export const damping: Command = {
  name: 'damping',
  argument: 'RESULT',
  summary: 'score a finished run again over damping factors: does the ranking of layers depend on them?',
  details:
    'RESULT is a complete *.layerif-result.json. Everything comes from the Grams beside it; nothing runs on the model.',
  options: ['task', 'estimator', 'factor', 'json'],
  words: {
    estimator: { help: "one estimator with a damping (default: the run's own)" },
  },

  async run(argument, options, terminal) {
    const file = path.resolve(terminal.baseDir, argument);
    const { estimator, factor } = options.values;
    const choice = {
      estimator: estimator as EstimatorId | undefined,
      factors: factor === undefined ? undefined : readFactors(factor),
      signal: terminal.signal,
    };
    const tasks = options.task.length > 0 ? options.task : openRun(file).result.tasks.map(({ task }) => task);
    const sweeps: DampingSweep[] = [];
    for (const task of tasks) sweeps.push(await sweepDamping(file, task, choice));
    terminal.out(options.json ? `${JSON.stringify(sweeps)}\n` : sweeps.map(dampingReport).join('\n'));
    return 0;
  },
};

export function dampingReport(sweep: DampingSweep): string {
  const { task, estimator, rule, factor, layers, steps } = sweep;
  const number = (value: number | null | undefined) => (value === null || value === undefined ? '-' : value.toFixed(2));
  const highest = (scores: number[] | null) => {
    if (!scores) return '';
    const order = scores.map((_, i) => i).sort((a, b) => nth(scores, b) - nth(scores, a));
    return order
      .slice(0, 5)
      .map((i) => nth(layers, i).index)
      .join(' ');
  };
  const rows = steps.map((step) => [
    `${step.factor}${step.factor === factor ? ' (run)' : ''}`,
    number(step.toDefault?.spearman),
    number(step.toDefault?.kendall),
    number(step.toNext?.spearman),
    highest(step.scores),
  ]);
  return [
    `${task}: ${estimator}, damping rule ${rule}, ${layers.length} layers`,
    '',
    ...table([['factor', 'Spearman', 'Kendall', 'to next', 'highest layers'], ...rows], [0, 1, 2, 3]),
    '',
    ...sweepSentences(sweep),
  ]
    .map((line) => `${line}\n`)
    .join('');
}
