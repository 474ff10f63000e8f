/** `layerif tokens RESULT --validation J`: which tokens of a validation answer the influence comes from. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { TokenInfluence } from '../../../protocol/trust.ts';
import { tokenInfluence } from '../run/influence/tokens.ts';
import { percent, score, table } from './format.ts';
import { readCount } from './lists.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { progressOn } from './progress.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Layers beside each other in the table: those whose influence is largest. */
const SHOWN_LAYERS = 6;

export const tokens: Command = {
  name: 'tokens',
  argument: 'RESULT',
  summary: 'how far each token of a validation sample contributes to its influence',
  details:
    'RESULT is a complete *.layerif-result.json; its model and data are read again, and the training gradients computed again,\n' +
    'which takes nearly as long as the run. The numbers of all layers are written beside RESULT.',
  options: ['task', 'validation', 'json', ...machineOptions],
  words: {
    task: { help: 'the task (default: the only one)' },
  },
  oneTask: true,
  cooperative: true,

  async run(argument, options, terminal) {
    const { validation } = options.values;
    if (validation === undefined) {
      throw new LayerifError('badRequest', 'layerif tokens needs --validation J, the validation sample counted from 0');
    }
    const progress = progressOn(terminal);
    try {
      const { influence, file } = await tokenInfluence(path.resolve(terminal.baseDir, argument), {
        task: options.task.at(-1),
        validation: readCount('validation', validation, 0),
        machine: options.machine,
        signal: terminal.signal,
        onEvent: (event) => {
          if (event.type === 'progress') progress.update(event);
        },
      });
      progress.clear();
      terminal.out(
        options.json
          ? `${JSON.stringify(influence)}\n`
          : `${tokensReport(influence)}Written to ${shortened(file, terminal.baseDir)}\n`,
      );
      return 0;
    } finally {
      progress.clear();
    }
  },
};

export function tokensReport({
  model,
  task,
  estimator,
  validation,
  row,
  tokens: list,
  layers,
  coverage,
}: TokenInfluence): string {
  const shown = [...layers].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum)).slice(0, SHOWN_LAYERS);
  shown.sort((a, b) => a.index - b.index);
  const all = list.map((_, t) => layers.reduce((sum, { influence }) => sum + nth(influence, t), 0));
  const rows = list.map(({ position, text }, t) => [
    String(position),
    JSON.stringify(text),
    score(nth(all, t)),
    ...shown.map(({ influence }) => score(nth(influence, t))),
  ]);
  const total = ['', 'sum', score(all.reduce((a, b) => a + b, 0)), ...shown.map(({ sum }) => score(sum))];
  const place = row.line === null ? `${row.file} row ${row.row}` : `${row.file}:${row.line}`;
  return [
    `${task}, validation sample ${validation} (${place}): ${estimator}, ${model}`,
    '',
    ...table(
      [['at', 'token', 'all layers', ...shown.map(({ index }) => `layer ${index}`)], ...rows, total],
      [0, 2, ...shown.map((_, i) => i + 3)],
    ),
    '',
    'Positive: the training samples help to predict this token. The tokens add up to the influence of the sample.',
    ...(layers.length > shown.length
      ? [`Shown are the ${shown.length} layers with the most influence of ${layers.length}.`]
      : []),
    `Coverage ${percent(coverage)} of the layers' matrices.`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
