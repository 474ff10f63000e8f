/** A task as its stored Grams have it: with sums, the samples of the subsample alone. Pure. */
import type { ResultSamples, ResultTask } from './result.ts';

/** The task itself where its Grams are of all samples. */
export function storedTask(task: ResultTask): ResultTask {
  const { subsample, ...whole } = task;
  if (!subsample) return task;
  const { train, validation } = subsample;
  return {
    ...whole,
    train: samplesAt(task.train, train),
    validation: samplesAt(task.validation, validation),
    influence: task.influence.map((row) => at(row, train)),
  };
}

/** "200 of 5,000 training and 100 of 100 validation samples"; null where the Grams are of all. */
export function subsampleWords({
  train,
  validation,
  subsample,
}: Pick<ResultTask, 'subsample'> & Record<'train' | 'validation', { samples: number }>): string | null {
  if (!subsample) return null;
  const words = (chosen: readonly number[], { samples }: { samples: number }) =>
    `${chosen.length.toLocaleString('en-US')} of ${samples.toLocaleString('en-US')}`;
  return `${words(subsample.train, train)} training and ${words(subsample.validation, validation)} validation samples`;
}

function samplesAt(samples: ResultSamples, places: readonly number[]): ResultSamples {
  const rows = at(samples.rows, places);
  return {
    samples: places.length,
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    truncated: rows.filter(({ truncated }) => truncated).length,
    rows,
    loss: at(samples.loss, places),
    gradientSquaredNorm: samples.gradientSquaredNorm.map((row) => at(row, places)),
  };
}

const at = <T>(values: readonly T[], places: readonly number[]): T[] =>
  places.flatMap((place) => values.slice(place, place + 1));
