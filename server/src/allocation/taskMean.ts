/**
 * One score per layer from several tasks: the mean of the tasks' min-max-normalised scores, so that no task outweighs
 * another by its scale.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { minMax, sum } from './rounding.ts';
import { nth } from '../lists/nth.ts';

/**
 * @param tasks task x layer
 * @returns the scores themselves for one task; else in 0..1
 * @throws LayerifError `badRequest` for a score that is not finite
 */
export function taskMean(tasks: readonly { task: string; scores: readonly number[] }[]): number[] {
  for (const { task, scores } of tasks) {
    const layer = scores.findIndex((score) => !Number.isFinite(score));
    if (layer >= 0) {
      throw new LayerifError(
        'badRequest',
        `task ${task}: the score of layer ${layer} is ${String(scores[layer])}, not a number to allocate by; score the experiment again`,
      );
    }
  }
  if (tasks.length === 1) return [...nth(tasks, 0).scores];
  const normalised = tasks.map(({ scores }) => minMax(scores));
  return nth(normalised, 0).map((_, layer) => sum(normalised.map((scores) => nth(scores, layer))) / tasks.length);
}
