/**
 * `layerif check FILE`: everything that can be known without running the model, one line per problem. With
 * `--gradients` the model is run on a few samples and its gradients are checked.
 */
import path from 'node:path';
import { located } from '../../../protocol/errors.ts';
import { checkExperiment } from '../run/check/check.ts';
import { checkGradients } from '../run/influence/checkGradients.ts';
import { counted } from './format.ts';
import { gradientReport } from './gradientReport.ts';
import { machineOptions } from './options.ts';
import { shortened } from './paths.ts';
import { progressOn } from './progress.ts';
import type { Command, Options, Terminal } from './types.ts';

export const check: Command = {
  name: 'check',
  argument: 'FILE',
  summary: 'validate an experiment file, its data and its model; with --gradients also the gradients',
  details:
    'Prints file:line:column: message for every problem, as linters do, without running the model. Exit code 2 when there is an error, 0 with warnings alone. ' +
    'Each section of the file is prepared as its command does it (score, scores, data_scores, evaluate, prune, train, train_experts, validate), up to the first run of the model; where a command only leaves something out, or this machine has too little memory for it (--memory), that is a warning. ' +
    'With --gradients: samples alone, padded and batched have to agree, and the loss has to change as the gradient says. Exit code 1 when a check fails.',
  options: ['gradients', 'json', ...machineOptions],

  async run(argument, options, terminal) {
    const file = path.resolve(terminal.baseDir, argument);
    if (options.flags.has('gradients')) return gradients(file, options, terminal);
    const { problems } = await checkExperiment(file, undefined, 'full', options.machine);
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    if (options.json) {
      terminal.out(`${JSON.stringify({ format: 'layerif-check', version: 1, file, problems })}\n`);
      return errors > 0 ? 2 : 0;
    }
    for (const { message, severity, line, column, file: other } of problems) {
      const place = { file: shortened(other ?? file, terminal.baseDir), line, column };
      terminal.out(`${located({ message: severity === 'error' ? message : `${severity}: ${message}`, place })}\n`);
    }
    if (errors > 0) {
      terminal.err(`${counted(errors, 'error')} in ${shortened(file, terminal.baseDir)}\n`);
      return 2;
    }
    terminal.out(`${shortened(file, terminal.baseDir)}: no errors\n`);
    return 0;
  },
};

async function gradients(file: string, options: Options, terminal: Terminal): Promise<number> {
  const progress = progressOn(terminal);
  try {
    const report = await checkGradients(file, options.machine, terminal.signal, ({ done, total }) =>
      progress.update({
        task: '',
        phase: 'check',
        done,
        total,
        message: `checking gradients, part ${done} of ${total}`,
      }),
    );
    progress.clear();
    terminal.out(options.json ? `${JSON.stringify(report)}\n` : gradientReport(report, terminal.columns));
    return report.passed ? 0 : 1;
  } finally {
    progress.clear();
  }
}
