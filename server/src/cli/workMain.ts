/**
 * Entry of the child that does the work of the `layerif` command: joins `cli.ts` to the process, its parent's messages
 * and its streams.
 */
import os from 'node:os';
import { endWithParent } from '../processes/parentWatch.ts';
import { runCommandLine } from './cli.ts';
import type { FromWork, ToWork } from './supervise.ts';
import type { Terminal } from './types.ts';

/** Share of the machine's memory that preparing data may take; the engine, another process, plans its own. */
const MEMORY_SHARE = 0.8;

endWithParent(MEMORY_SHARE * (process.constrainedMemory?.() || os.totalmem()));
// `npm run layerif` runs in the package's folder and says in INIT_CWD where it was called. Other npm scripts that start
// us in a folder of their choice also leave INIT_CWD behind, so it counts for our own script alone.
const { INIT_CWD, npm_lifecycle_event: script } = process.env;
const baseDir = script === 'layerif' && INIT_CWD ? INIT_CWD : process.cwd();

const say = (message: FromWork): void => void process.send?.(message);
const cancel = new AbortController();
process.on('message', (message: ToWork) => {
  if (message.type === 'cancel') cancel.abort();
  else say({ type: 'pong' });
});
process.on('disconnect', () => process.exit(130));
// A terminal sends Ctrl-C to parent and child; the parent says what it means.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => cancel.abort());
// The reader of a pipe may leave early (`layerif ... | head`); that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const terminal: Terminal = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  // A pseudo-terminal may say 0.
  columns: process.stdout.columns || process.stderr.columns || 80,
  fitted: process.stdout.isTTY === true,
  interactive: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
  baseDir,
  signal: cancel.signal,
};

void runCommandLine(process.argv.slice(2), terminal).then((code) => {
  // A pipe is written asynchronously: leave only after the last byte, but do leave, warm engine or not.
  process.stdout.write('', () => {
    say({ type: 'leaving', code });
    process.exit(code);
  });
});
