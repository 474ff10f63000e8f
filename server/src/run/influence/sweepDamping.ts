/**
 * Layer scores of a finished run over damping factors, from its stored Grams: does the ranking depend on a number
 * nobody knows?
 */
import { setImmediate } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { DampingSweep } from '../../../../protocol/trust.ts';
import { sweepFactors } from '../../estimators/damping.ts';
import { scoreAt } from '../../estimators/dampingSweep.ts';
import { estimators, findEstimator } from '../../estimators/estimators.ts';
import { rankStability } from '../../statistics/rankStability.ts';
import { chosenTasks, openRun, requireStored, settingsOf } from './rescore.ts';
import type { Rescoring } from './rescore.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

export interface SweepOptions extends Omit<Rescoring, 'tasks'> {
  /** Default 0.001, 0.01 ... 1000. The run's own factor is always among them. */
  factors?: readonly number[] | undefined;
}

/**
 * @param task default: the first one
 * @throws LayerifError `badRequest` as `rescore`, and for an estimator without damping
 */
export async function sweepDamping(
  resultFile: string,
  task: string | undefined,
  { factors = sweepFactors, ...choice }: SweepOptions = {},
): Promise<DampingSweep> {
  const { result, grams } = openRun(resultFile);
  const settings = settingsOf(result, choice);
  const estimator = findEstimator(settings.estimator);
  if (estimator.curvature === 'none') {
    const damped = estimators.filter(({ curvature }) => curvature !== 'none').map(({ id }) => id);
    throw new LayerifError(
      'badRequest',
      `estimator ${estimator.id} has no damping: choose one of ${damped.join(', ')} (no new run is needed for those of fisher, datainf, relatif, lissa)`,
    );
  }
  const [target] = take(chosenTasks(result, resultFile, task === undefined ? undefined : [task]), 1);
  requireStored(estimator, grams, target, resultFile);
  const { rule, factor } = settings.damping;
  const all = [...new Set([...factors, factor])].sort((a, b) => a - b);
  const scores: (number[] | null)[] = all.map(() => []);
  const errors: (string | null)[] = all.map(() => null);
  for (const { index, name } of target.layers) {
    const modules = grams.layer(target.task, index);
    for (const [step, value] of all.entries()) {
      await setImmediate();
      choice.signal?.throwIfAborted();
      const own = nth(scores, step);
      if (own === null) continue;
      try {
        const options = { ...settings, estimator, layerName: name, signal: choice.signal };
        own.push(scoreAt(modules, { rule, factor: value }, options));
      } catch (error) {
        if (!(error instanceof LayerifError) || error.code === 'cancelled') throw error;
        scores[step] = null;
        errors[step] = error.message;
      }
    }
  }
  const stability = rankStability(scores, all.indexOf(factor));
  return {
    task: target.task,
    estimator: estimator.id,
    aggregation: settings.aggregation,
    rule,
    factor,
    layers: target.layers.map(({ index, name }) => ({ index, name })),
    steps: all.map((value, step) => ({
      factor: value,
      scores: scores[step] ?? null,
      error: errors[step] ?? null,
      toDefault: nth(stability, step).toReference,
      toNext: nth(stability, step).toNext,
    })),
  };
}
