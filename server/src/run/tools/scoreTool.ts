/**
 * `score` for a chat model: first what the run will take, then, once a person has agreed to that, the run. What was
 * agreed to is held under a word that is used once and stands for the experiment as it was when it was estimated.
 */
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { LayerifError } from '../../../../protocol/errors.ts';
import { estimateWords } from '../../../../protocol/estimateWords.ts';
import type { Machine, RunEvent } from '../../../../protocol/run.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import { experimentName } from '../files/results.ts';
import { estimateExperiment } from '../influence/estimate.ts';
import { runExperiment } from '../influence/runExperiment.ts';
import { summaryData, summaryText } from './summary.ts';

interface Agreed {
  file: string;
  task: string | undefined;
  /** SHA-256 of the experiment file. */
  sha256: string;
}

export interface ScoreWork {
  machine: Machine;
  signal: AbortSignal;
  onProgress: (done: number, total: number, message: string) => void;
}

export class ScoreTool {
  readonly #agreed = new Map<string, Agreed>();
  #running: string | null = null;

  /**
   * @param file absolute
   * @returns the word to agree with, and what to ask
   * @throws LayerifError, `notEnoughMemory` where the run would not fit
   */
  async estimate(
    file: string,
    task: string | undefined,
    { machine, signal }: ScoreWork,
  ): Promise<{ word: string; question: string; data: Record<string, unknown> }> {
    this.#requireFree();
    const sha256 = hashOf(file);
    const estimate = await this.#alone(file, () =>
      estimateExperiment({ file, machine, signal, tasks: task === undefined ? undefined : [task] }),
    );
    if (estimate.refusal !== null) throw new LayerifError('notEnoughMemory', estimate.refusal);
    const word = randomBytes(8).toString('hex');
    this.#agreed.set(word, { file, task, sha256 });
    const { seconds, memoryBytes, diskBytes, warnings } = estimate;
    const question = [estimateWords(experimentName(file), estimate), ...warnings.map((one) => `Warning: ${one}`)];
    return { word, question: question.join('\n'), data: { seconds, memoryBytes, diskBytes, warnings } };
  }

  /** @throws LayerifError `badRequest` where nobody agreed to this; as `runExperiment` */
  async run(file: string, task: string | undefined, word: string, work: ScoreWork): Promise<ToolAnswer> {
    this.#requireFree();
    const agreed = this.#agreed.get(word);
    this.#agreed.delete(word);
    const again = 'call score without "confirm" for a new estimate, and ask the user';
    if (!agreed || agreed.file !== file || agreed.task !== task)
      throw new LayerifError('badRequest', `"${word}" confirms no estimate of ${file}, or was used: ${again}`);
    if (agreed.sha256 !== hashOf(file))
      throw new LayerifError('badRequest', `${file} has changed since its estimate: ${again}`);
    const { machine, signal, onProgress } = work;
    const ran = await this.#alone(file, () =>
      runExperiment({
        file,
        machine,
        signal,
        tasks: task === undefined ? undefined : [task],
        onProgress: ({ done, total, message }) => onProgress(done, total, message),
        onEvent: (event: RunEvent) => {
          if (event.type === 'progress' && event.phase !== 'download')
            onProgress(event.done, event.total, event.message);
        },
      }),
    );
    if (!ran.result || ran.resultFile === null)
      return { text: `The scores are in ${ran.scoresFile}.`, data: { scoresFile: ran.scoresFile } };
    const { result, resultFile } = ran;
    return {
      text: summaryText(result, result.tasks, resultFile),
      data: summaryData(result, result.tasks, resultFile),
    };
  }

  #requireFree(): void {
    if (this.#running !== null)
      throw new LayerifError(
        'badRequest',
        `${experimentName(this.#running)} is being scored: wait for it or cancel it, one run at a time`,
      );
  }

  async #alone<T>(file: string, work: () => Promise<T>): Promise<T> {
    this.#running = file;
    try {
      return await work();
    } finally {
      this.#running = null;
    }
  }
}

function hashOf(file: string): string {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex');
}
