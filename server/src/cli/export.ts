/** `layerif export RESULT --to TARGET`: an allocation or the scores in the words of another program. */
import path from 'node:path';
import { allocationKinds } from '../../../protocol/allocation.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../protocol/scores.ts';
import { exportResult, writeExport } from '../run/decide/export.ts';
import { exportScores, scoreTargetIds } from '../run/decide/exportScores.ts';
import { noteLine } from './format.ts';
import { readNumber } from './lists.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { outliersOf, readRequest, requestOptions } from './requests.ts';
import type { Command } from './types.ts';

export const exportCommand: Command = {
  name: 'export',
  argument: 'RESULT|ALLOCATION|SCORES',
  summary: 'write an allocation or the scores for another program',
  details:
    '--to names the program; `layerif list exports` has them. What is allocated and how: the options of `layerif allocate`, with the kind\n' +
    'that the program takes as default. An ALLOCATION (*.layerif-allocation.json) is exported as it was made: the latest of a kind that\n' +
    'the program takes, or that of --kind. Written beside RESULT, or to --output FILE; --output - prints it. --json prints where and what.\n' +
    `A file of scores (*${SCORES_SUFFIX}) goes to ${scoreTargetIds.join(', ')}; --by ID names the score. To the others goes what is\n` +
    'allocated by it.',
  options: ['to', 'task', 'output', 'json', 'lora-rank', 'lora-alpha', ...requestOptions, ...machineOptions],
  words: {
    output: { value: 'FILE', help: 'the file to write (default: beside RESULT, named for the target); - prints it' },
    task: { help: 'only scores of this task; may be given several times (default: the mean over all)' },
    kind: { help: `${allocationKinds.join(' | ')} (default: the first that the target takes)` },
    json: { help: 'print where it was written, and what, as one JSON document' },
  },

  async run(argument, options, terminal) {
    const { values } = options;
    if (values.to === undefined)
      throw new LayerifError('badRequest', 'layerif export needs --to TARGET: layerif list exports has the targets');
    const source = path.resolve(terminal.baseDir, argument);
    const exportAllocation = (to: string) =>
      exportResult({
        resultFile: source,
        to,
        tasks: options.task,
        request: readRequest(options, undefined),
        outliers: outliersOf(options, terminal.baseDir),
        machine: options.machine,
        loraRank: readNumber('lora-rank', values['lora-rank']),
        loraAlpha: readNumber('lora-alpha', values['lora-alpha']),
        signal: terminal.signal,
      });
    // What an allocation is for is allocated from a file of scores as from a result.
    const table = source.endsWith(SCORES_SUFFIX) && scoreTargetIds.includes(values.to);
    const { content, file, notes } = table
      ? exportScores({ scoresFile: source, to: values.to, by: values.by })
      : await exportAllocation(values.to);
    for (const note of notes) terminal.err(`${noteLine(note)}\n`);
    if (options.output === '-' && typeof content === 'string') {
      terminal.out(content);
      return 0;
    }
    const target =
      options.output === undefined || options.output === '-' ? file : path.resolve(terminal.baseDir, options.output);
    writeExport(content, target);
    if (options.json) {
      const text = typeof content === 'string' ? content : null;
      terminal.out(`${JSON.stringify({ to: values.to, file: target, content: text, notes })}\n`);
    } else terminal.out(`Written to ${shortened(target, terminal.baseDir)}\n`);
    return 0;
  },
};
