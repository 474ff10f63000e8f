/** What commands have in common whose run the same command continues after an interruption. */
import path from 'node:path';
import { progressOn } from './progress.ts';
import type { ProgressLine } from './progress.ts';
import type { Terminal } from './types.ts';

/** Of the run's options. */
export interface Resumable {
  onStarted: (started: { resumed: boolean; resultFile: string }) => void;
  onWarning: (sentence: string) => void;
}

/**
 * Runs, clears the progress line, prints. A cancelled run says where what is finished lies.
 * @param words `run`: "training", in "Continuing the interrupted training in ..."; `kept`: "The training is"
 * @param work what is printed
 */
export async function resumable(
  terminal: Terminal,
  words: { run: string; kept: string },
  work: (hooks: Resumable, progress: ProgressLine) => Promise<string>,
): Promise<number> {
  const progress = progressOn(terminal);
  let folder = '';
  try {
    const report = await work(
      {
        onStarted: ({ resumed, resultFile }) => {
          folder = path.dirname(resultFile);
          if (resumed) progress.note(`Continuing the interrupted ${words.run} in ${folder}`);
        },
        onWarning: (sentence) => progress.note(`Warning: ${sentence}`),
      },
      progress,
    );
    progress.clear();
    terminal.out(report);
    return 0;
  } catch (error) {
    progress.clear();
    if (terminal.signal.aborted && folder !== '')
      terminal.err(`${words.kept} kept in ${folder}; the same command continues there.\n`);
    throw error;
  }
}
