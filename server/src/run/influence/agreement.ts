/**
 * How other estimators rank the layers of a finished run, and whether damping does more than scale its scores: from the
 * stored Grams.
 */
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { EstimatorId } from '../../../../protocol/experiment.ts';
import type { EstimatorAgreement } from '../../../../protocol/readability.ts';
import { GRAMS_FILE } from '../../../../protocol/result.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { DampingSweep, EstimatorComparison } from '../../../../protocol/trust.ts';
import { storedTask } from '../../../../protocol/subsample.ts';
import { findEstimator } from '../../estimators/estimators.ts';
import { scoreLayer } from '../../estimators/layerScores.ts';
import { spearman } from '../../statistics/rankCorrelation.ts';
import { StoredGrams } from '../files/gramFiles.ts';
import { compareRuns } from './compare.ts';
import { openRun, settingsOf } from './rescore.ts';
import { sweepDamping } from './sweepDamping.ts';

/** What a run is held beside; each needs Grams alone. */
const beside = ['datainf', 'fisher', 'dot'] as const satisfies readonly EstimatorId[];
/** Multiplications that the closing words of a run may cost: some ten seconds of one core. */
const BUDGET = 1.2e10;

export interface Agreements {
  others: EstimatorAgreement[];
  /** Estimators that would take too long here. */
  left: EstimatorId[];
  /**
   * Over a hundredth to a hundred times the run's factor; null where the estimator has no damping, or it would take too
   * long.
   */
  sweep: DampingSweep | null;
}

/** Multiplications for an estimator's scores, `times` over; DataInf, dot and cosine solve nothing. */
function affordable(id: EstimatorId, task: ResultTask, times = 1): boolean {
  const n = storedTask(task).train.samples;
  const matrices = task.layers.reduce((sum, { modules }) => sum + Object.keys(modules).length, 0);
  const solves = id !== 'dot' && id !== 'datainf' && id !== 'cosine';
  return times * matrices * (solves ? n ** 3 / 3 : n * n) <= BUDGET;
}

/** @throws LayerifError `cancelled` alone: what cannot be computed is left out */
export async function agreementsOf(
  resultFile: string,
  result: Result,
  task: ResultTask,
  signal?: AbortSignal,
): Promise<Agreements> {
  const own = findEstimator(result.score.estimator);
  const others: EstimatorAgreement[] = [];
  const left: EstimatorId[] = [];
  // With sums both are of the subsample.
  const reference = task.subsample
    ? await scoresBy(own.id, resultFile, result, task, signal)
    : task.layers.map(({ score }) => score);
  for (const estimator of beside.filter((id) => id !== own.id)) {
    if (!affordable(estimator, task)) left.push(estimator);
    else
      await unlessImpossible(async () => {
        const scores = await scoresBy(estimator, resultFile, result, task, signal);
        others.push({ estimator, spearman: spearman(reference, scores) });
      });
  }
  let sweep: DampingSweep | null = null;
  const { factor } = result.experiment.score.damping;
  if (own.curvature === 'resampled' && affordable(own.id, task, 2))
    await unlessImpossible(async () => {
      sweep = await sweepDamping(resultFile, task.task, { factors: [factor / 100, factor * 100], signal });
    });
  return { others, left, sweep };
}

async function scoresBy(
  id: EstimatorId,
  resultFile: string,
  result: Result,
  task: ResultTask,
  signal?: AbortSignal,
): Promise<number[]> {
  const grams = new StoredGrams(path.join(path.dirname(resultFile), GRAMS_FILE));
  const estimator = findEstimator(id);
  const scores: number[] = [];
  for (const { index, name } of task.layers) {
    await setImmediate();
    signal?.throwIfAborted();
    const settings = settingsOf(result, { estimator: id });
    scores.push(scoreLayer(grams.layer(task.task, index), { ...settings, estimator, layerName: name, signal }).score);
  }
  return scores;
}

/** A report stands without its last sentences; a cancelled one does not. */
async function unlessImpossible(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof LayerifError) || error.code === 'cancelled') throw error;
  }
}

/** Replicates behind the intervals of a comparison. */
const REPLICATES = 200;

/**
 * The run's own estimator and others on the same gradients: correlations of their layer scores with intervals, for each
 * task.
 * @throws LayerifError `badRequest` for a partial result or one without Grams
 */
export async function compareEstimators(resultFile: string, signal?: AbortSignal): Promise<EstimatorComparison[]> {
  const { result } = openRun(resultFile);
  const own = result.score.estimator;
  const compared: EstimatorComparison[] = [];
  for (const task of result.tasks) {
    const others = beside.filter((id) => id !== own);
    const left = others.filter((id) => !affordable(id, task, REPLICATES));
    const estimators = [own, ...others.filter((id) => !left.includes(id))];
    const comparison =
      estimators.length > 1 ? await compareRuns([resultFile], { tasks: [task.task], estimators, signal }) : null;
    compared.push({ task: task.task, comparison, left });
  }
  return compared;
}
