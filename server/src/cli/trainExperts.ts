/**
 * `layerif train-experts FILE`: LoRA experts trained for several allocations, as a table with seeds and paired
 * differences.
 */
import path from 'node:path';
import type { ComparedExperts, ExpertsMetric, ExpertsResult } from '../../../protocol/experts.ts';
import { trainExpertsOf } from '../run/experts/trainExperts.ts';
import { readLimit } from './evaluate.ts';
import { count, counted, duration, table } from './format.ts';
import { machineOptions } from './options.ts';
import { resumable } from './resumable.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

export const trainExperts: Command = {
  name: 'train-experts',
  argument: 'FILE',
  summary: 'train LoRA experts for several allocations and compare their accuracy',
  details:
    'FILE is an experiment; its section `train_experts` names allocations (rules of `layerif allocate`, or files) and how they are trained.\n' +
    'Rules that read scores take those of the newest result. Finished trainings of an interrupted run are not run again.',
  options: ['task', 'result', 'limit', 'output', 'json', ...machineOptions],
  words: {
    task: { help: 'the task (default: the first)' },
    result: { help: 'result whose scores the allocations read (default: the newest of the experiment)' },
  },
  oneTask: true,
  cooperative: true,

  run(argument, options, terminal) {
    const { result: scores, limit } = options.values;
    return resumable(terminal, { run: 'run', kept: 'Finished trainings are' }, async (hooks, progress) => {
      const { result, resultFile } = await trainExpertsOf({
        file: path.resolve(terminal.baseDir, argument),
        task: options.task.at(-1),
        resultFile: scores === undefined ? undefined : path.resolve(terminal.baseDir, scores),
        limit: limit === undefined ? undefined : readLimit(limit),
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
        ...hooks,
        onProgress: (event) => progress.update({ task: '', phase: 'train-experts', ...event }),
      });
      return options.json ? `${JSON.stringify(result)}\n` : expertsReport(result, resultFile);
    });
  },
};

/** One table per metric. */
export function expertsReport(result: ExpertsResult, file: string): string {
  const { model, task, samples, settings, allocations, untrained, provenance, findings } = result;
  const first = nth(allocations, 0);
  const seeds = counted(settings.seeds, 'seed');
  const title = `${task}: ${model.name}, ${counted(samples.train, 'training sample')}, ${counted(settings.steps, 'step')}, ${seeds}; ${counted(samples.evaluated, 'document')} of ${samples.split} evaluated`;
  const notes = allocations.flatMap(({ id, notes }) => notes.map((note) => `${id}: ${note}.`));
  return [
    title,
    `LoRA experts of rank ${settings.rank}, alpha ${settings.alpha}, ${settings.top_k} per token, without dropout, on ${result.modules.join(', ')}`,
    '',
    ...table([['allocation', 'experts', 'trained', 'by layer'], ...allocations.map(shape)], [1, 2]),
    ...first.metrics.flatMap((row) => ['', ...metricTable(row, allocations, untrained[row.metric], first.id)]),
    '',
    ...notes,
    'Mean ± standard error over seeds. Differences: 95 % interval and sign-flip test over documents, of the mean over seeds;',
    '"± seeds" is their standard error over seeds, of trainings with the same initial weights and batches.',
    ...findings,
    ...(result.scores === null ? [] : [`Scores from ${result.scores}`]),
    `The trainings took ${duration(provenance.seconds)} together on ${provenance.device}, ${counted(provenance.threads, 'thread')}.`,
    `Result ${file}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function shape({ id, total, parameters, experts }: ComparedExperts): string[] {
  return [id, String(total), parameters === null ? '' : count(parameters), experts.join(' ')];
}

/** @param plain without experts; undefined where that was not measured */
function metricTable(
  { metric, higherIsBetter }: ExpertsMetric,
  allocations: readonly ComparedExperts[],
  plain: number | undefined,
  first: string,
): string[] {
  const rows = allocations.flatMap(({ id, metrics }) => {
    const row = metrics.find((m) => m.metric === metric);
    return row ? [[id, ...cells(row)]] : [];
  });
  const head = [
    `${metric} ${higherIsBetter ? '↑' : '↓'}`,
    'mean',
    '',
    'by seed',
    `less ${first}`,
    'interval',
    'p',
    '± seeds',
  ];
  return table(
    [head, ['without experts', plain === undefined ? '' : fixed(plain), '', '', '', '', '', ''], ...rows],
    [1, 4, 6, 7],
  );
}

function cells({ mean, standardError, values, againstFirst }: ExpertsMetric): string[] {
  const own = [fixed(mean), standardError === null ? '' : `± ${fixed(standardError)}`, values.map(fixed).join(' ')];
  if (!againstFirst) return [...own, '', '', '', ''];
  const { difference, interval, p, standardError: overSeeds } = againstFirst;
  return [
    ...own,
    `${difference >= 0 ? '+' : ''}${fixed(difference)}`,
    interval ? `${fixed(interval[0])} to ${fixed(interval[1])}` : '',
    p.toFixed(3),
    overSeeds === null ? '' : fixed(overSeeds),
  ];
}

const fixed = (value: number): string => value.toFixed(4);
