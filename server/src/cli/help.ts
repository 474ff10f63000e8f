/** The help texts, made from the tables of commands and options. */
import { table } from './format.ts';
import { commonOptions, optionHelp } from './options.ts';
import type { Command } from './types.ts';

export function generalHelp(commands: readonly Command[]): string {
  return lines([
    'layerif: which layers of a language model matter for your data',
    '',
    'Usage: layerif COMMAND ARGUMENT [OPTIONS]',
    '',
    ...table(commands.map(({ name, argument, summary }) => [`  ${name} ${argument}`, summary])),
    '',
    ...optionHelp(commonOptions),
    '',
    'layerif COMMAND --help explains a command. A relative path is resolved against the folder where you are.',
    'Exit codes: 0 done, 1 failed, 2 bad input, 3 not enough memory or disk by the estimate, 130 cancelled.',
  ]);
}

export function commandHelp({ name, argument, summary, details, options }: Command): string {
  return lines([
    `layerif ${name} ${argument}${options.length > 0 ? ' [OPTIONS]' : ''}: ${summary}`,
    '',
    details,
    '',
    ...optionHelp([...options, ...commonOptions]),
  ]);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
