/** `layerif validate FILE`: influence against retraining, as tables with all controls and what follows in words. */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { influenceProtocols, protocolIds } from '../../../protocol/experiment.ts';
import type { ProtocolId } from '../../../protocol/experiment.ts';
import { validateExperiment } from '../run/validate/validate.ts';
import { machineOptions } from './options.ts';
import { resumable } from './resumable.ts';
import type { Command } from './types.ts';
import { validationReport } from './validateReport.ts';

export const validate: Command = {
  name: 'validate',
  argument: 'FILE',
  summary:
    'check influence against retraining (LDS, leave-one-out, mislabels, retrieval, a convex surrogate), and whether selecting rows, tokens or facts helps',
  details:
    'FILE is an experiment; its section `validate` holds sizes and how LoRA factors are retrained. Finished retrainings of an\n' +
    'interrupted validation of the same experiment, data and model are not run again.',
  options: ['protocol', 'task', 'output', 'json', ...machineOptions],
  words: {
    task: { help: 'the task (default: the first)' },
  },
  oneTask: true,
  cooperative: true,

  run(argument, options, terminal) {
    return resumable(terminal, { run: 'validation', kept: 'Finished retrainings are' }, async (hooks, progress) => {
      const { result, resultFile } = await validateExperiment({
        file: path.resolve(terminal.baseDir, argument),
        task: options.task.at(-1),
        protocols: readProtocols(options.values.protocol),
        outputDir: options.output === undefined ? undefined : path.resolve(terminal.baseDir, options.output),
        machine: options.machine,
        signal: terminal.signal,
        ...hooks,
        onProgress: (event) => progress.update({ task: '', phase: 'validate', ...event }),
      });
      return options.json ? `${JSON.stringify(result)}\n` : validationReport(result, resultFile);
    });
  },
};

/** `all` of influence, or names with commas; undefined: those of the experiment. @throws LayerifError `badRequest` */
export function readProtocols(text: string | undefined): ProtocolId[] | undefined {
  if (text === undefined) return undefined;
  if (text === 'all') return [...influenceProtocols];
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !(protocolIds as readonly string[]).includes(name));
  if (wrong === undefined) return names as ProtocolId[];
  throw new LayerifError(
    'badRequest',
    `--protocol "${wrong}" is not a protocol: use ${protocolIds.join(', ')} or all (those of influence), several with commas`,
  );
}
