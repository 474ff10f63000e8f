/**
 * The parent's half of the command line. Standard streams are the child's own; the parent speaks to it over IPC.
 *
 * The first Ctrl-C (or SIGTERM) asks: the child stops at its next step and keeps what is finished. A child that does
 * not even answer within a second is ended. The second one ends it at once. The engine, the child's child, ends with
 * it.
 */
import { exitCodes } from '../../../protocol/errors.ts';
import { forkProgram } from '../processes/forkProgram.ts';

const program = { bundle: 'cliWork.cjs', source: 'workMain.ts' };

/** Parent to child. */
export type ToWork = { type: 'cancel' } | { type: 'ping' };
/** Child to parent; `leaving` comes before the exit, which waits for every call to the system that is under way. */
export type FromWork = { type: 'pong' } | { type: 'leaving'; code: number };

/**
 * How long a child that was asked to stop may leave the first question unanswered, and every later one (it may be
 * writing).
 */
const FIRST_ANSWER_MS = 800;
const LATER_ANSWER_MS = 10_000;
const PING_INTERVAL_MS = 500;
/** From saying goodbye to being gone. */
const LEAVING_MS = 1000;

/**
 * Runs one command line in a child and ends this process with its exit code.
 * @param words without node and the script
 */
export function superviseWork(words: readonly string[]): void {
  const child = forkProgram(program, import.meta.dirname, { words, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  let signals = 0;
  let leavingWith: number | null = null;
  let unanswered: NodeJS.Timeout | undefined;

  const tell = (message: ToWork) => {
    if (child.connected) child.send(message, () => undefined);
  };
  const leave = (code: number): never => {
    child.kill('SIGKILL');
    process.exit(code);
  };
  const ping = (patience: number) => {
    tell({ type: 'ping' });
    unanswered = setTimeout(() => {
      process.stderr.write('layerif: cancelled; the step under way did not stop and was ended\n');
      leave(exitCodes.cancelled);
    }, patience);
  };
  const onSignal = () => {
    signals += 1;
    if (signals > 1) leave(exitCodes.cancelled);
    process.stderr.write('\nlayerif: stopping at the next step; Ctrl-C again stops at once\n');
    tell({ type: 'cancel' });
    ping(FIRST_ANSWER_MS);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  child.on('message', (message: FromWork) => {
    clearTimeout(unanswered);
    if (message.type === 'pong') unanswered = setTimeout(() => ping(LATER_ANSWER_MS), PING_INTERVAL_MS);
    else {
      leavingWith = message.code;
      unanswered = setTimeout(() => leave(message.code), LEAVING_MS);
    }
  });
  child.on('error', (error) => {
    process.stderr.write(`layerif: the command could not be started: ${error.message}\n`);
    process.exit(exitCodes.failed);
  });
  child.on('exit', (code, signal) => {
    if (code !== null) process.exit(code);
    if (leavingWith !== null) process.exit(leavingWith);
    if (signals === 0) {
      const why = signal === 'SIGKILL' || signal === 'SIGABRT' ? ', perhaps because memory ran out' : '';
      process.stderr.write(`layerif: the command was ended by the signal ${signal}${why}\n`);
    }
    process.exit(signals > 0 ? exitCodes.cancelled : exitCodes.failed);
  });
}
