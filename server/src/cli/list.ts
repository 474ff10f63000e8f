/** `layerif list WHAT`: what is available, one line each. */
import { listKinds, listOf, type ListKind } from '../run/inputs/lists.ts';
import { unknown } from './arguments.ts';
import { table } from './format.ts';
import type { Command } from './types.ts';
import { explained } from './wrap.ts';

export const list: Command = {
  name: 'list',
  argument: listKinds.join('|'),
  summary: 'show what is available, with one line and its source each',
  details: `One of ${listKinds.join(', ')}.`,
  options: ['json'],

  run(argument, options, terminal) {
    if (!(listKinds as readonly string[]).includes(argument)) throw unknown('list', argument, listKinds);
    const entries = listOf(argument as ListKind);
    if (options.json) {
      terminal.out(`${JSON.stringify(entries)}\n`);
      return Promise.resolve(0);
    }
    const lines = terminal.fitted
      ? explained(
          entries.map(({ id, title, source }) => [id, title, source] as const),
          terminal.columns,
        )
      : table(entries.map(({ id, title, source }) => [id, title, source]));
    terminal.out(lines.map((line) => `${line}\n`).join(''));
    return Promise.resolve(0);
  },
};
