/**
 * Labels that are wrong on purpose: a seeded share of a task's training rows gets another choice as its answer, to see
 * whether influence finds them.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { LabelNoise, Task } from '../../../protocol/experiment.ts';
import { Random } from '../random/random.ts';
import { exampleOf, exampleWithChoice } from './context.ts';
import { docOf } from './examples.ts';
import { placeOf } from './splits.ts';
import type { Example, Row } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Of so many rows, those with a changed label, ascending; at least one. */
export function noisyRows(count: number, { share, seed }: LabelNoise): number[] {
  return new Random(seed, 'label noise').subset(count, Math.min(count, Math.max(1, Math.round(share * count))));
}

/**
 * The example of each row, the noisy ones with a wrong choice.
 * @throws LayerifError `badData` for a row without other choices
 */
export function noisyExamples(
  task: Task,
  rows: readonly Row[],
  noise: LabelNoise,
  fewshot: (row: Row) => readonly Row[],
): Example[] {
  const noisy = new Set(noisyRows(rows.length, noise));
  const random = new Random(noise.seed, 'other labels');
  return rows.map((row, i) => {
    if (!noisy.has(i)) return exampleOf(task, row, fewshot(row));
    const others = task.output_type === 'loglikelihood_rolling' ? [] : wrongChoices(task, row);
    if (others.length > 0)
      return exampleWithChoice(task, row, nth(others, random.integer(others.length)), fewshot(row));
    throw new LayerifError(
      'badData',
      `task "${task.task}": row ${row.row} has no other choice to change its label to; labels are changed in tasks with doc_to_choice, elsewhere name the column that marks noisy rows (ndr: { noisy: COLUMN })`,
      { place: placeOf(row) },
    );
  });
}

function wrongChoices(task: Task, row: Row): string[] {
  const { choices, golds } = docOf(task, row);
  return (choices ?? []).filter((choice, i, all) => !golds.includes(i) && !golds.some((gold) => all[gold] === choice));
}
