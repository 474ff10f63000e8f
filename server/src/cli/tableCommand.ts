/** `layerif table RUN...`: our own runs as a CSV for `layerif analyse` and other programs. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import { cannotWrite } from '../files/writing.ts';
import { collectTable, csvText, tableUnits } from '../run/analyse/collectTable.ts';
import type { TableUnit } from '../run/analyse/collectTable.ts';
import { counted } from './format.ts';
import { shortened } from './paths.ts';
import type { Command } from './types.ts';

export const tableCommand: Command = {
  name: 'table',
  argument: 'RUN',
  several: true,
  summary: 'collect runs and their metrics into a CSV for layerif analyse',
  details:
    'RUN is a result, a file of scores, an evaluation, or a folder that holds some. One row for each task of a run with its settings, losses and metrics; with --unit layer one for each layer, with all scores of layers.\n' +
    'Printed as CSV, or written with --output FILE.',
  options: ['unit', 'output', 'json'],
  words: {
    unit: { value: 'WORD', help: `${tableUnits.join(' | ')}: what a row is about (default task)` },
    output: { value: 'FILE', help: 'CSV file to write' },
  },

  run(argument, options, terminal) {
    const unit = options.values.unit ?? 'task';
    if (!(tableUnits as readonly string[]).includes(unit))
      throw new LayerifError('badRequest', `--unit "${unit}" is unknown: use ${tableUnits.join(' or ')}`);
    const found = collectTable([argument, ...options.more], unit as TableUnit, terminal.baseDir);
    if (options.output !== undefined) {
      const target = path.resolve(terminal.baseDir, options.output);
      if (!/\.csv$/i.test(target))
        throw new LayerifError(
          'badRequest',
          `--output ${options.output} does not end in .csv: give the name of the file to write`,
        );
      try {
        fs.writeFileSync(target, csvText(found));
      } catch (error) {
        throw cannotWrite(target, error);
      }
      if (!options.json) {
        const { rows, columns } = found;
        terminal.out(
          `${counted(rows.length, 'row')} and ${counted(columns.length, 'column')} in ${shortened(target, terminal.baseDir)}\n`,
        );
      }
    }
    if (options.json) terminal.out(`${JSON.stringify(found)}\n`);
    else if (options.output === undefined) terminal.out(csvText(found));
    return 0;
  },
};
