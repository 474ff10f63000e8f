/** `layerif evaluate FILE`: accuracy and perplexity of the model, by the rules of lm-evaluation-harness. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { Evaluation } from '../../../protocol/evaluation.ts';
import { evaluateExperiment } from '../run/evaluate/evaluate.ts';
import { duration, table } from './format.ts';
import { machineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import type { Command } from './types.ts';

export const evaluate: Command = {
  name: 'evaluate',
  argument: 'FILE',
  summary: 'measure accuracy and perplexity of the model on the tasks, as lm-evaluation-harness does',
  details:
    'FILE is an experiment; its section `evaluate` names tasks and texts (default: all tasks, on test_split, else the validation split).\n' +
    'The file that is written has the shape of lm-evaluation-harness results.',
  options: ['task', 'model', 'limit', 'log-samples', 'output', 'json', ...machineOptions],
  words: {
    task: { help: 'only this task; may be given several times (default: those of the section `evaluate`, else all)' },
  },
  cooperative: true,

  async run(argument, options, terminal) {
    const progress = progressOn(terminal);
    try {
      const { model, limit } = options.values;
      const { evaluation, evaluationFile } = await evaluateExperiment({
        file: path.resolve(terminal.baseDir, argument),
        tasks: options.task.length > 0 ? options.task : undefined,
        model: model === undefined ? undefined : path.resolve(terminal.baseDir, model),
        limit: limit === undefined ? undefined : readLimit(limit),
        logSamples: options.flags.has('log-samples'),
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
        onWarning: (sentence) => progress.note(`Warning: ${sentence}`),
        onProgress: (event) => progress.update({ task: '', phase: 'evaluate', ...event }),
      });
      progress.clear();
      for (const { task, reason } of evaluation.skipped ?? []) terminal.err(`task "${task}": left out: ${reason}\n`);
      terminal.out(options.json ? `${JSON.stringify(evaluation)}\n` : evaluationReport(evaluation, evaluationFile));
      return 0;
    } finally {
      progress.clear();
    }
  },
};

/** @throws LayerifError `badRequest` */
export function readLimit(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new LayerifError('badRequest', `--limit "${text}" is not a number of documents: use a whole number from 1`);
}

/** The table of the harness: a row a metric, with its standard error. */
export function evaluationReport(evaluation: Evaluation, file: string): string {
  const rows = Object.entries(evaluation.results).flatMap(([task, values]) =>
    Object.entries(values).flatMap(([key, value]) => {
      const [metric = '', filter = ''] = key.split(/,(.*)/s);
      if (typeof value !== 'number' || metric.endsWith('_stderr')) return [];
      const error = values[`${metric}_stderr,${filter}`];
      const arrow = evaluation.higher_is_better[task]?.[metric] ? '↑' : '↓';
      const shots = String(evaluation['n-shot'][task]);
      const documents = String(evaluation['n-samples'][task]?.effective);
      return [
        [
          task,
          shots,
          documents,
          `${metric}${filter === 'none' ? '' : ` (${filter})`} ${arrow}`,
          value.toFixed(4),
          typeof error === 'number' ? `± ${error.toFixed(4)}` : '',
        ],
      ];
    }),
  );
  return [
    `${evaluation.model.name}`,
    '',
    ...table([['task', 'n-shot', 'documents', 'metric', 'value', 'stderr'], ...rows], [1, 2, 4]),
    '',
    `Took ${duration(evaluation.provenance.seconds)} on ${evaluation.provenance.device}.`,
    `Evaluation ${file}`,
    '',
  ].join('\n');
}
