/**
 * Entry of the language server: joins the supervisor to the editor's IPC channel. The work is done by workers
 * (`workerMain.ts`); this process is always free to answer, to cancel and to end them.
 */
import type { Message } from './supervisor/messages.ts';
import { Supervisor } from './supervisor/supervisor.ts';

const EDITOR_CHECK_MS = 2000;

const supervisor = new Supervisor((message) => void process.send?.(message, undefined, undefined, () => undefined));

process.on('message', (message: Message) => {
  if (message.method === 'exit') process.exit(supervisor.shutDown ? 0 : 1);
  supervisor.fromClient(message);
});
// The editor was killed: nobody is left to answer to.
process.on('disconnect', () => process.exit(1));
process.on('exit', () => supervisor.dispose());
setInterval(() => {
  const { editor } = supervisor;
  if (editor !== null && !isAlive(editor)) process.exit(1);
}, EDITOR_CHECK_MS);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
