/** `layerif prune FILE`: writes a model with a share of its weights, or of its layers, removed. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { PrunerId } from '../../../protocol/methods.ts';
import type { PruningReport } from '../../../protocol/pruning.ts';
import { pruneExperiment } from '../run/prune/prune.ts';
import { duration, noteLine, percent, table } from './format.ts';
import { bytesText } from '../text/bytes.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { progressOn } from './progress.ts';
import type { Command } from './types.ts';

export const prune: Command = {
  name: 'prune',
  argument: 'FILE',
  summary: 'write a pruned model: by magnitude, Wanda or SparseGPT, or without whole layers',
  details:
    'FILE is an experiment; its section `prune` holds the defaults of the options. The model itself is never written to.\n' +
    'An interrupted pruning of the same model, texts and sparsities is resumed.',
  options: ['method', 'sparsity', 'map', 'by', 'result', 'structure', 'task', 'output', 'json', ...machineOptions],
  words: {
    output: {
      help: 'folder of the pruned model: new or empty, not that of the model (default: in output_dir, named for how it is pruned)',
    },
    by: {
      value: 'ID',
      help: 'a layer score in place of influence, from the newest result or scores: an id of `layerif list scores`',
    },
    result: {
      value: 'FILE',
      help: 'result or file of scores that a rule reads (default: the newest of the experiment)',
    },
    task: { help: 'the task whose scores a map reads (default: the mean over all)' },
  },
  oneTask: true,
  cooperative: true,

  async run(argument, options, terminal) {
    const { values } = options;
    const progress = progressOn(terminal);
    const absolute = (file: string | undefined) =>
      file === undefined ? undefined : path.resolve(terminal.baseDir, file);
    try {
      const { report, output } = await pruneExperiment({
        file: path.resolve(terminal.baseDir, argument),
        method: values.method as PrunerId | undefined,
        sparsity: values.sparsity === undefined ? undefined : readSparsity(values.sparsity),
        map: values.map?.endsWith('.json') ? absolute(values.map) : values.map,
        by: values.by,
        resultFile: absolute(values.result),
        structure: values.structure,
        task: options.task.at(-1),
        output: absolute(options.output),
        machine: options.machine,
        signal: terminal.signal,
        onWarning: (sentence) => progress.note(`Warning: ${sentence}`),
        onProgress: (event) => progress.update({ task: '', phase: 'prune', ...event }),
      });
      progress.clear();
      terminal.out(options.json ? `${JSON.stringify(report)}\n` : pruningReport(report, output, terminal.baseDir));
      return 0;
    } finally {
      progress.clear();
    }
  },
};

/** @throws LayerifError `badRequest` */
export function readSparsity(text: string): number {
  const value = /^0?\.\d+$|^0$/.test(text) ? Number(text) : NaN;
  if (value >= 0 && value < 1) return value;
  throw new LayerifError(
    'badRequest',
    `--sparsity "${text}" is not a share: use a number from 0 to below 1, such as 0.5`,
  );
}

export function pruningReport(report: PruningReport, output: string, baseDir: string): string {
  const { layers, dropped, notes, calibration, provenance } = report;
  const rows = layers.map(({ index, requested, achieved }) => [
    String(index),
    dropped.includes(index) ? 'left out' : percent(requested),
    dropped.includes(index) ? '' : percent(achieved),
  ]);
  const head =
    dropped.length > 0
      ? `${report.model.name}: ${dropped.length} of ${layers.length} layers left out (${dropped.join(', ')}), ${percent(report.achieved)} of the weights of the layers; chosen by ${report.map}`
      : `${report.model.name}: ${percent(report.achieved)} of the prunable weights are zero (asked for: ${percent(report.requested)}); method ${report.method}, ${report.structure}, map ${report.map}`;
  const looked = calibration
    ? `Calibrated on ${calibration.texts} texts with ${calibration.tokens} tokens (${calibration.split} of ${calibration.dataset}). `
    : '';
  return [
    head,
    ...scoreLines(report.scores, baseDir),
    '',
    ...table([['layer', 'asked', 'zero'], ...rows], [0, 1, 2]),
    '',
    `${looked}Took ${duration(provenance.seconds)}${provenance.peakMemoryBytes > 0 ? `, ${bytesText(provenance.peakMemoryBytes)} of memory` : ''}.`,
    ...notes,
    `Written: ${path.relative(baseDir, output) || output}`,
    '',
  ].join('\n');
}

/** Which scores decided, and how they were read. */
function scoreLines(scores: PruningReport['scores'], baseDir: string): string[] {
  if (!scores) return [];
  const tasks = `${scores.tasks.length === 1 ? 'task' : 'mean of tasks'} ${scores.tasks.join(', ')}`;
  return [
    `Scores of ${shortened(scores.resultFile, baseDir)}, ${scores.score === undefined ? `${tasks}, estimator ${scores.estimator}` : `score ${scores.score}`}.`,
    scores.direction,
    ...(scores.notes ?? []).map(noteLine),
  ];
}
