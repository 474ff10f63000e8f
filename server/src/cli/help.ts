/** The help texts, made from the tables of commands and options, fitted to the terminal. */
import { commonOptions, optionHelp } from './options.ts';
import type { Command } from './types.ts';
import { explained, wrapped } from './wrap.ts';

/** @param width of the terminal in characters */
export function generalHelp(commands: readonly Command[], width: number): string {
  return lines([
    'layerif: which layers of a language model matter for your data',
    '',
    'Usage: layerif COMMAND ARGUMENT [OPTIONS]',
    '',
    ...explained(
      commands.map(({ name, argument, summary }) => [`  ${name} ${argument}`, summary] as const),
      width,
      24,
    ),
    '',
    ...optionHelp(commonOptions, width),
    '',
    ...[
      'layerif COMMAND --help explains a command. A relative path is resolved against the folder where you are.',
      'Exit codes: 0 done, 1 failed, 2 bad input, 3 not enough memory or disk by the estimate, 130 cancelled.',
    ].flatMap((text) => wrapped(text, width)),
  ]);
}

/** @param width of the terminal in characters */
export function commandHelp(
  { name, argument, several, summary, details, options, words }: Command,
  width: number,
): string {
  const usage = `layerif ${name} ${argument}${several ? ` [${argument}]...` : ''}${options.length > 0 ? ' [OPTIONS]' : ''}`;
  return lines([
    ...wrapped(`${usage}: ${summary}`, width),
    '',
    ...wrapped(details, width),
    '',
    ...optionHelp([...options, ...commonOptions], width, words),
  ]);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
