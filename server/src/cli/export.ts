/** `layerif export RESULT --to TARGET`: an allocation or the scores in the words of another program. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { exportResult, writeExport } from '../run/decide/export.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { outliersOf, readRequest, requestOptions } from './requests.ts';
import type { Command } from './types.ts';

export const exportCommand: Command = {
  name: 'export',
  argument: 'RESULT',
  summary: 'write an allocation or the scores for another program',
  details:
    '--to names the program; `layerif list exports` has them. What is allocated and how: the options of `layerif allocate`, with the kind\n' +
    'that the program takes as default. Written beside RESULT, or to --output FILE; --output - prints it.',
  options: ['to', 'task', 'output', 'lora-rank', 'lora-alpha', ...requestOptions, ...machineOptions],

  async run(argument, options, terminal) {
    const { values } = options;
    if (values.to === undefined)
      throw new LayerifError('badRequest', 'layerif export needs --to TARGET: layerif list exports has the targets');
    const number = (name: 'lora-rank' | 'lora-alpha') =>
      values[name] === undefined ? undefined : Number(values[name]);
    const { content, file, notes } = await exportResult({
      resultFile: path.resolve(terminal.baseDir, argument),
      to: values.to,
      tasks: options.task,
      request: readRequest(options, undefined),
      outliers: outliersOf(options, terminal.baseDir),
      machine: options.machine,
      loraRank: number('lora-rank'),
      loraAlpha: number('lora-alpha'),
      signal: terminal.signal,
    });
    for (const note of notes) terminal.err(`Note: ${note}\n`);
    if (options.output === '-' && typeof content === 'string') {
      terminal.out(content);
      return 0;
    }
    const target =
      options.output === undefined || options.output === '-' ? file : path.resolve(terminal.baseDir, options.output);
    writeExport(content, target);
    terminal.out(`Written to ${shortened(target, terminal.baseDir)}\n`);
    return 0;
  },
};
