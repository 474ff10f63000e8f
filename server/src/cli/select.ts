/**
 * `layerif select FILE --by ID --keep N|P%`: a dataset of the rows that a score chooses, or of all with token masks.
 */
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { SelectedRows } from '../../../protocol/rowSelection.ts';
import { maskForms, selectRows } from '../run/decide/selectRows.ts';
import { count, counted, noteLine, score as number, table } from './format.ts';
import { readCount } from './lists.ts';
import { shortened } from './paths.ts';
import type { Command } from './types.ts';

export const select: Command = {
  name: 'select',
  argument: 'FILE',
  summary: 'write a dataset of the rows that a score of rows chooses, or with token masks',
  details:
    'FILE is an experiment whose data_scores are computed (layerif score), or a *.layerif-scores.json. The new file has the format of the dataset; Parquet and Arrow become JSON lines. ' +
    'Rows that the rule of a score leaves out are not chosen. Beside the choice stands how many of its rows bm25, similarity, loss, length and random would have chosen. Of facts (mastery) as many as wanted are drawn from --level, as many of each relation as there are. Nothing runs on the model.',
  options: ['by', 'keep', 'level', 'seed', 'lowest', 'dedup', 'balance', 'to', 'output', 'json'],
  words: {
    seed: { value: 'N', help: 'of the facts that are drawn from a level (default 0)' },
    by: { help: 'the score of rows, such as ifd_ppl' },
    to: { value: 'FORM', help: `of token_mask: ${maskForms.join(' | ')} (default loss_mask)` },
    output: { value: 'FILE', help: 'the new file (default: beside the scores)' },
  },

  async run(argument, { values, flags, output, json }, terminal) {
    if (values.by === undefined)
      throw new LayerifError('badRequest', 'by which score? give --by ID, an id of data_scores such as ifd_ppl');
    const selected = await selectRows({
      file: path.resolve(terminal.baseDir, argument),
      by: values.by,
      keep: values.keep,
      lowest: flags.has('lowest'),
      dedup: flags.has('dedup'),
      balance: values.balance,
      level: values.level,
      seed: values.seed === undefined ? undefined : readCount('seed', values.seed, 0),
      to: values.to,
      output: output === undefined ? undefined : path.resolve(terminal.baseDir, output),
      signal: terminal.signal,
    });
    terminal.out(json ? `${JSON.stringify(selected)}\n` : report(selected, terminal.baseDir));
    return 0;
  },
};

function report(
  { file, provenanceFile, by, rows, of, left, doubles, overlaps, notes }: SelectedRows,
  baseDir: string,
): string {
  const aside = [
    ...(left > 0 ? [`${count(left)} left out by the score`] : []),
    ...(doubles > 0 ? [`${counted(doubles, 'double')} left out`] : []),
  ];
  return [
    `Written ${count(rows)} of ${counted(of, 'row')} by ${by}${aside.length > 0 ? ` (${aside.join(', ')})` : ''}`,
    ...(overlaps.length > 0
      ? [
          '',
          ...table(
            [
              ['control', 'rows that it chooses too', 'by chance'],
              ...overlaps.map(({ control, shared, chance }) => [control, `${shared} of ${rows}`, number(chance)]),
            ],
            [1, 2],
          ),
          '',
        ]
      : []),
    ...notes.map(noteLine),
    `Rows ${shortened(file, baseDir)}`,
    `Where they come from ${shortened(provenanceFile, baseDir)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
