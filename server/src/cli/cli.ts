/** The command line without a process around it: words in, text and exit code out. */
import { knownFault } from '../files/reading.ts';
import { exitCodes, LayerifError, located } from '../../../protocol/errors.ts';
import { version } from '../run/files/version.ts';
import { parseCommandLine } from './arguments.ts';
import { commands } from './commands.ts';
import { commandHelp, generalHelp } from './help.ts';
import type { Terminal } from './types.ts';

/**
 * Runs one command line.
 *
 * @param words without the names of node and the script.
 * @returns the exit code of `protocol/errors.ts`; never throws.
 */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { command, argument, options } = parseCommandLine(words, commands);
    if (options.version) {
      terminal.out(`${version}\n`);
      return 0;
    }
    if (options.help) {
      terminal.out(command ? commandHelp(command, terminal.columns) : generalHelp(commands, terminal.columns));
      return 0;
    }
    if (command === null || argument === null) {
      terminal.err(generalHelp(commands, terminal.columns));
      return exitCodes.badRequest;
    }
    const work = command.run(argument, options, terminal);
    return await (command.cooperative ? work : Promise.race([work, untilAborted(terminal.signal)]));
  } catch (error) {
    return report(error, words.includes('--verbose'), terminal);
  }
}

/** Never resolves; rejects when the signal aborts. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new LayerifError('cancelled', 'cancelled')), { once: true });
  });
}

/** One line on standard error, the stack only when asked for. */
function report(error: unknown, verbose: boolean, terminal: Terminal): number {
  if (terminal.signal.aborted) {
    terminal.err('layerif: cancelled\n');
    return exitCodes.cancelled;
  }
  const known = knownFault(error);
  const message = error instanceof Error ? error.message : String(error);
  // A message of a library may have several lines; ours never has.
  const line = known
    ? located(known)
    : `layerif: defect: ${message.split('\n')[0]} (please report it with the output of --verbose)`;
  terminal.err(`${line}\n`);
  if (verbose && error instanceof Error) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) terminal.err(`${cause.stack}\n`);
  }
  return known ? exitCodes[known.code] : exitCodes.failed;
}
