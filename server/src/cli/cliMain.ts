#!/usr/bin/env node
/** Entry of the `layerif` command: joins `cli.ts` to the process, its signals and its streams. */
import { runCommandLine } from './cli.ts';
import type { Terminal } from './types.ts';

// `npm run layerif` runs in the package's folder and says in INIT_CWD where it was called. Other npm scripts that start us
// in a folder of their choice also leave INIT_CWD behind, so it counts for our own script alone.
const { INIT_CWD, npm_lifecycle_event: script } = process.env;
const baseDir = script === 'layerif' && INIT_CWD ? INIT_CWD : process.cwd();

const cancel = new AbortController();
function onSignal(): void {
  // The engine ends with its parent, whatever it is doing.
  if (cancel.signal.aborted) process.exit(130);
  process.stderr.write('\nlayerif: stopping at the next step; Ctrl-C again stops at once\n');
  cancel.abort();
}
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// The reader of a pipe may leave early (`layerif ... | head`); that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  // A pseudo-terminal may say 0.
  columns: process.stdout.columns || process.stderr.columns || 80,
  interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
  baseDir,
  signal: cancel.signal,
};

void runCommandLine(process.argv.slice(2), terminal).then((code) => {
  // A pipe is written asynchronously: leave only after the last byte, but do leave, warm engine or not.
  process.stdout.write('', () => process.exit(code));
});
