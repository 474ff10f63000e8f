/** `layerif estimate FILE`: plan, time, memory and disk that `score` will need. */
import path from 'node:path';
import { exitCodes } from '../../../protocol/errors.ts';
import { estimateExperiment } from '../run/influence/estimate.ts';
import { machineOptions } from './options.ts';
import { progressOn } from './progress.ts';
import { estimateReport } from './report.ts';
import type { Command } from './types.ts';

export const estimate: Command = {
  name: 'estimate',
  argument: 'FILE',
  summary: 'say what score will need: plan, time, memory and disk',
  details:
    'Downloads a model or dataset that is a hub id and not in the cache. Reads data and model headers and measures this machine for a moment; runs no model. Exit code 3 when score would refuse to start.',
  options: ['task', 'json', ...machineOptions],

  async run(argument, options, terminal) {
    const progress = progressOn(terminal);
    const found = await estimateExperiment({
      file: path.resolve(terminal.baseDir, argument),
      tasks: options.task.length > 0 ? options.task : undefined,
      machine: options.machine,
      signal: terminal.signal,
      onProgress: (event) => progress.update({ task: '', phase: 'download', ...event }),
    }).finally(() => progress.clear());
    terminal.out(options.json ? `${JSON.stringify(found, null, 2)}\n` : estimateReport(found));
    return found.refusal === null ? 0 : exitCodes.notEnoughMemory;
  },
};
