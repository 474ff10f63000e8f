/**
 * A thread that ends its own process when the parent is gone or when memory passes a limit, whatever the main loop is
 * doing: a loop that runs what a file says may never come back to its events, and a call that waits for a pipe cannot
 * be interrupted.
 *
 * The parent is gone when the process has another parent (POSIX) or when no process has the parent's id any more
 * (Windows).
 */
import { Worker } from 'node:worker_threads';

const INTERVAL_MS = 250;

/** Plain JavaScript without imports of ours: it runs the same in a bundle and from the sources. */
const program = `
const { workerData: { parent, memoryBytes } } = require('node:worker_threads');
const end = () => process.kill(process.pid, 'SIGKILL');
setInterval(() => {
  if (process.ppid !== parent) return end();
  try {
    process.kill(parent, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return end();
  }
  if (process.memoryUsage.rss() > memoryBytes) end();
}, ${INTERVAL_MS});
`;

/** @param memoryBytes most resident memory of this process; default: no limit */
export function endWithParent(memoryBytes = Infinity): void {
  const thread = new Worker(program, {
    eval: true,
    execArgv: [],
    workerData: { parent: process.ppid, memoryBytes },
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  // A thread that could not start or failed must not end the work.
  thread.on('error', () => undefined);
  thread.unref();
}
