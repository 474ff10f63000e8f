/** What the lenses of an experiment say of its runs. No `vscode` here: unit-tested as plain functions. */
import type { Estimate } from '../../protocol/run.ts';
import { durationWords } from './pruningWords.ts';
import { isRunning, percentage } from './runState.ts';
import type { RunState } from './runState.ts';

export interface RunLens {
  title: string;
  command: 'layerif.cancelRun' | 'layerif.openResult' | 'layerif.estimate';
}

/** @param file absolute path of the experiment; `hasResult`: whether it has one that can be opened */
export function runLensesOf(file: string, run: RunState | null, hasResult: boolean): RunLens[] {
  if (isRunning(run) && run.experimentFile === file) {
    const share = percentage(run);
    return [{ title: share === null ? 'Cancel' : `Cancel (${share} %)`, command: 'layerif.cancelRun' }];
  }
  const estimate: RunLens = { title: 'Estimate', command: 'layerif.estimate' };
  return hasResult ? [{ title: 'Open Last Result', command: 'layerif.openResult' }, estimate] : [estimate];
}

/** What a run will take, in two sentences; what keeps it from running in place of the second. */
export function estimateWords(name: string, { seconds, tasks, ...estimate }: Estimate): string {
  const samples = tasks.reduce((sum, { train, validation }) => sum + train + validation, 0);
  const tokens = tasks.reduce((sum, task) => sum + task.tokens, 0);
  const first = `Scoring ${name} takes about ${durationWords(seconds)} on ${estimate.device}: ${samples.toLocaleString('en-US')} samples, ${tokens.toLocaleString('en-US')} tokens.`;
  const second = `It needs ${bytes(estimate.memoryBytes)} of ${bytes(estimate.memoryLimitBytes)} memory and ${bytes(estimate.diskBytes)} of ${bytes(estimate.diskFreeBytes)} disk.`;
  return `${first} ${estimate.refusal === null ? second : `It does not fit: ${estimate.refusal}`}`;
}

const bytes = (count: number) =>
  count >= 2 ** 30 ? `${(count / 2 ** 30).toFixed(1)} GiB` : `${Math.ceil(count / 2 ** 20)} MiB`;
