/**
 * Runs the command line as a process: the bundle that `npm run test:unit` names, which starts quicker, else the
 * sources.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildProcess } from 'node:child_process';

const entry = process.env.LAYERIF_CLI ?? fileURLToPath(new URL('../../server/src/cli/cliMain.ts', import.meta.url));

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ProcessOptions {
  cwd: string;
  env?: Record<string, string>;
  /** Called with everything that standard error has said so far. */
  onStderr?: (text: string, child: ChildProcess) => void;
  onStart?: (child: ChildProcess) => void;
}

export function layerif(words: string[], { cwd, env = {}, onStderr, onStart }: ProcessOptions): Promise<Finished> {
  // What npm left in the environment of the test run is not part of the test.
  const clean = { ...process.env, INIT_CWD: undefined, npm_lifecycle_event: undefined };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, ...words], {
    cwd,
    env: { ...clean, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStart?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    onStderr?.(stderr, child);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
