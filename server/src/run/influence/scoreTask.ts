/** One task of a run: Grams are collected and scored layer by layer, then come a projection's error and intervals. */
import type { KnownGrams } from '../../../../protocol/engine.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { ModuleGrams } from '../../estimators/layerScores.ts';
import type { FinishedParts } from '../files/finished.ts';
import { requireUnchanged } from '../files/modelStamp.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { collectCheckpoints } from './collectCheckpoints.ts';
import { collectTask, placeOf } from './collectTask.ts';
import type { Collecting } from './collectTask.ts';
import { projectionError } from './projectionError.ts';
import { taskProgress } from './runProgress.ts';
import { addLayer, layerGrams } from './taskResult.ts';
import { addUncertainty, uncertaintyOf } from './uncertainty.ts';

export interface TaskScoring {
  task: PreparedTask;
  index: number;
  /** Where the task's numbers go. */
  target: ResultTask;
  /** Of the model's files before the run. */
  stamp: string;
  /** Called when a layer is scored. */
  onScored: () => void;
  known?: KnownGrams | undefined;
  /** Of the intervals; absent: the usual one. */
  level?: number | undefined;
}

/**
 * @param result gets seconds, memory and the projection's error
 * @returns the files of the layers' Grams
 * @throws LayerifError `badModel` where the model's files were written meanwhile
 */
export async function scoreTask(
  shared: Collecting,
  { task, index, target, stamp, onScored, known, level }: TaskScoring,
  result: Result,
): Promise<string[]> {
  const { prepared, runId, finished, options, emit } = shared;
  const files = new Map<number, string>();
  const onLayer = (layer: number, file: string): void => {
    requireSameModel(prepared, stamp, finished);
    files.set(layer, file);
    addLayer(target, prepared, layer, file, options.signal);
    onScored();
  };
  const collect = prepared.checkpoints ? collectCheckpoints : collectTask;
  const { workDir, checked } = await collect(shared, { task, index, target, onLayer, known }, result); // of checkpoints, the last one is measured
  const parts = prepared.checkpoints?.length ?? 1;
  const place = placeOf(shared, { task, index, part: parts - 1, parts });
  emit(taskProgress(place, { phase: 'intervals', done: 0, total: 1 }));
  const error = projectionError(prepared, task.task.task, workDir, checked);
  const { projection } = result.score;
  if (error && projection) projection.error = [...projection.error.filter((one) => one.task !== error.task), error];
  const fileOf = (layer: number) => files.get(layer)!;
  const modulesOf = (layer: number) => layerGrams(prepared, layer, fileOf(layer));
  await addIntervals(target, prepared, modulesOf, result, { signal: options.signal, level }, (text) =>
    emit({ type: 'log', runId, text }),
  );
  emit(taskProgress(place, { phase: 'intervals', done: 1, total: 1 }));
  return prepared.scope.layers.map(fileOf);
}

function requireSameModel({ checkpoint }: Prepared, stamp: string, finished: FinishedParts): void {
  try {
    requireUnchanged(checkpoint, stamp);
  } catch (error) {
    finished.discard();
    throw error;
  }
}

/** Intervals of a finished task; where they cannot be had, the scores stand without them and the log says why. */
export async function addIntervals(
  target: ResultTask,
  prepared: Prepared,
  modulesOf: (layer: number) => ModuleGrams[],
  { provenance: { seconds } }: Result,
  own: { signal: AbortSignal | undefined; level: number | undefined },
  log: (text: string) => void,
): Promise<void> {
  const started = performance.now();
  const { estimator } = prepared;
  const { damping, aggregation, per, relatif, seed } = prepared.experiment.score;
  const options = { estimator, damping, aggregation, per, relatif, seed, ...own };
  try {
    addUncertainty(target, await uncertaintyOf(target, modulesOf, options));
  } catch (error) {
    if (!(error instanceof LayerifError) || error.code !== 'failed') throw error;
    log(`no intervals for the scores of ${target.task}: ${error.message}`);
  }
  seconds.intervals = (seconds.intervals ?? 0) + (performance.now() - started) / 1000;
}
