/**
 * Another estimator, damping or aggregation for a finished run, from its stored Grams: no model, no data, no engine.
 * Layers are read and scored one after the other, and others get a turn between two, so that a language server stays
 * answerable.
 */
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { AggregationId, EstimatorId, Score } from '../../../../protocol/experiment.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import { storedTask } from '../../../../protocol/subsample.ts';
import { findEstimator, requireTrainSamples } from '../../estimators/estimators.ts';
import { scoreLayer, scoreSums } from '../../estimators/layerScores.ts';
import type { Damping, Estimator } from '../../estimators/types.ts';
import { StoredGrams } from '../files/gramFiles.ts';
import { readResult } from '../files/results.ts';
import { putLayer } from './taskResult.ts';
import { addUncertainty, uncertaintyOf } from './uncertainty.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

export interface Rescoring {
  estimator?: EstimatorId | undefined;
  damping?: Partial<Damping> | undefined;
  aggregation?: AggregationId | undefined;
  per?: 'sample' | 'pair' | undefined;
  relatif?: 'l' | 'theta' | undefined;
  /** Only these; default all. */
  tasks?: readonly string[] | undefined;
  /** Whether intervals are made too, which takes seconds; default false. */
  uncertainty?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What a result says once the choices are replaced. */
export interface Rescored {
  score: Pick<Score, 'estimator' | 'damping' | 'aggregation' | 'per' | 'relatif'>;
  tasks: ResultTask[];
}

/**
 * Of a run by sums, another estimator or damping is that of its subsample, and the task's samples are these.
 *
 * @param resultFile of a complete run; what is not chosen is as it was there
 * @throws LayerifError `badRequest` for a partial result, an unknown task or an estimator that needs more than the run
 *   stored
 */
export async function rescore(resultFile: string, choice: Rescoring = {}): Promise<Rescored> {
  const { result, grams } = openRun(resultFile);
  const settings = settingsOf(result, choice);
  const estimator = findEstimator(settings.estimator);
  const tasks: ResultTask[] = [];
  for (const whole of chosenTasks(result, resultFile, choice.tasks)) {
    const summed = whole.subsample !== undefined && sumsHold(result, settings);
    const task = summed ? whole : storedTask(whole);
    requireTrainSamples(estimator, task.train.samples, task.task);
    requireStored(estimator, grams, task, resultFile);
    const target: ResultTask = {
      ...task,
      train: { ...task.train, gradientSquaredNorm: [] },
      validation: { ...task.validation, gradientSquaredNorm: [] },
      damping: [],
      influence: [],
      layers: [],
    };
    delete target.uncertainty; // it belongs to the scores that it was made for
    for (const { index, name } of task.layers) {
      await setImmediate();
      choice.signal?.throwIfAborted();
      const options = { ...settings, estimator, layerName: name, signal: choice.signal };
      const modules = grams.layer(task.task, index);
      putLayer(target, index, name, summed ? scoreSums(modules, options) : scoreLayer(modules, options));
    }
    if (choice.uncertainty) {
      const { seed } = result.experiment.score;
      const options = { ...settings, estimator, seed, signal: choice.signal };
      const found = await uncertaintyOf(target, (layer) => grams.layer(task.task, layer), options);
      if (found && whole.subsample)
        found.uncertainty.of = { train: whole.subsample.train.length, validation: whole.subsample.validation.length };
      addUncertainty(target, found);
    }
    tasks.push(target);
  }
  return { score: settings, tasks };
}

/** Whether a run's sums are of these settings: nothing but the aggregation is another. */
function sumsHold({ experiment: { score } }: Result, { estimator, damping, per }: Rescored['score']): boolean {
  const same = damping.rule === score.damping.rule && damping.factor === score.damping.factor;
  return estimator === score.estimator && per !== 'pair' && (same || estimator === 'dot');
}

/** A complete result and its Grams. @throws LayerifError `badRequest` */
export function openRun(resultFile: string): { result: Result; grams: StoredGrams } {
  const result = readResult(resultFile);
  if (result.status !== 'complete') {
    throw new LayerifError('badRequest', `${resultFile} is partial: run layerif score again to complete it`);
  }
  return { result, grams: new StoredGrams(path.join(path.dirname(resultFile), GRAMS_FILE)) };
}

/** The result's own settings, with those that were chosen in their place. */
export function settingsOf({ experiment: { score } }: Result, choice: Rescoring): Rescored['score'] {
  const { estimator = score.estimator, aggregation = score.aggregation } = choice;
  const per = choice.per ?? score.per;
  const relatif = choice.relatif ?? score.relatif;
  return {
    estimator,
    damping: { ...score.damping, ...choice.damping },
    aggregation,
    ...(per ? { per } : {}),
    ...(relatif ? { relatif } : {}),
  };
}

/** @throws LayerifError `badRequest` for a task that the result does not have */
export function chosenTasks(result: Result, resultFile: string, names?: readonly string[]): ResultTask[] {
  const known = result.tasks.map(({ task }) => task);
  const missing = (names ?? []).filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new LayerifError(
      'badRequest',
      `${resultFile} has no task "${missing.join('", "')}"; its tasks are ${known.join(', ')}`,
    );
  }
  return names?.length ? result.tasks.filter(({ task }) => names.includes(task)) : result.tasks;
}

/** @throws LayerifError `badRequest` for an estimator whose numbers the run did not make */
export function requireStored(
  estimator: Estimator,
  grams: StoredGrams,
  { task, layers }: ResultTask,
  file: string,
): void {
  const missing = (['ekfac', 'checkpoints'] as const).find((need) => estimator.needs.includes(need));
  if (!missing || layers.length === 0) return;
  const [first] = take(grams.layer(task, nth(layers, 0).index), 1);
  if (first.grams[missing] !== undefined) return;
  throw new LayerifError(
    'badRequest',
    `${file} was not scored with estimator ${estimator.id}, which needs more than Grams: score again with score.estimator: ${estimator.id}`,
  );
}
