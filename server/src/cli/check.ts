/** `layerif check FILE`: everything that can be known without running the model, one line per problem. */
import path from 'node:path';
import { located } from '../../../protocol/errors.ts';
import { checkExperiment } from '../run/check.ts';
import { counted } from './format.ts';
import { shortened } from './paths.ts';
import type { Command } from './types.ts';

export const check: Command = {
  name: 'check',
  argument: 'FILE',
  summary: 'validate an experiment file, its data and its model without running the model',
  details:
    'Prints file:line:column: message for every problem, as linters do. Exit code 2 when there is an error, 0 with warnings alone.',
  options: [],

  async run(argument, _options, terminal) {
    const file = path.resolve(terminal.baseDir, argument);
    const { problems } = await checkExperiment(file);
    for (const { message, severity, line, column, file: other } of problems) {
      const place = { file: shortened(other ?? file, terminal.baseDir), line, column };
      terminal.out(`${located({ message: severity === 'error' ? message : `${severity}: ${message}`, place })}\n`);
    }
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    if (errors > 0) {
      terminal.err(`${counted(errors, 'error')} in ${shortened(file, terminal.baseDir)}\n`);
      return 2;
    }
    terminal.out(`${shortened(file, terminal.baseDir)}: no errors\n`);
    return 0;
  },
};
