/** Forks another program of ours, without this process's debugger and with its own limits. */
import { fork } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export interface ForkOptions {
  words?: readonly string[];
  stdio: StdioOptions;
  /** Most memory of JavaScript objects, in MiB; default: that of Node. */
  heapMiB?: number;
}

/** The bundle where the code runs bundled, else the source file. */
export interface Program {
  bundle: string;
  source: string;
}

/** Words of Node that a child may not inherit: one port, one profile, another limit. */
const OWN_WORDS = /^--(inspect|nolazy|cpu-prof|heap-prof|max-old-space-size)/;

/** @param folder where the code that calls lies: bundles and sources of one folder lie beside each other */
export function forkProgram({ bundle, source }: Program, folder: string, options: ForkOptions): ChildProcess {
  const bundled = path.join(folder, bundle);
  const { words = [], stdio, heapMiB } = options;
  return fork(fs.existsSync(bundled) ? bundled : path.join(folder, source), words, {
    stdio,
    execArgv: [
      ...process.execArgv.filter((word) => !OWN_WORDS.test(word)),
      ...(heapMiB === undefined ? [] : [`--max-old-space-size=${heapMiB}`]),
    ],
  });
}
