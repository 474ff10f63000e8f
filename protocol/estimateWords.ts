/** What a run will take, in words: before it starts, in the editor and in chats. Pure. */
import type { Estimate } from './run.ts';

export function durationWords(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
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
