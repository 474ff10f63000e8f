/**
 * The one table of influence estimators: the schema, `layerif list estimators` and the runs read it.
 * To add one, write its file after the model of `dot.ts` and add it here.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Score } from '../../../protocol/experiment.ts';
import { cosine } from './cosine.ts';
import { datainf } from './datainf.ts';
import { dot } from './dot.ts';
import { ekfac } from './ekfac.ts';
import { fisher } from './fisher.ts';
import { lissa } from './lissa.ts';
import { relatif } from './relatif.ts';
import { tracin } from './tracin.ts';
import type { Estimator } from './types.ts';

export const estimators: readonly Estimator[] = [datainf, fisher, dot, cosine, relatif, lissa, tracin, ekfac];

/** @throws LayerifError `badExperiment` that lists the ids there are. */
export function findEstimator(id: string): Estimator {
  const found = estimators.find((estimator) => estimator.id === id);
  if (found) return found;
  throw new LayerifError(
    'badExperiment',
    `estimator "${id}" is not available: use one of ${estimators.map((estimator) => estimator.id).join(', ')}`,
  );
}

/** @throws LayerifError `badData` when `n` training samples are too few for the estimator. */
export function requireTrainSamples(estimator: Estimator, n: number, task: string): void {
  if (n >= estimator.minimumTrain) return;
  const others = estimators
    .filter(({ minimumTrain, needs }) => n >= minimumTrain && !needs.includes('checkpoints'))
    .map(({ id }) => id)
    .slice(0, 2);
  const advice =
    others.length > 0
      ? `add samples to training_split or use estimator ${others.join(' or ')}`
      : 'add samples to training_split';
  throw new LayerifError(
    'badData',
    `task "${task}" has ${n} training sample${n === 1 ? '' : 's'}, estimator ${estimator.id} needs at least ${estimator.minimumTrain}: ${advice}`,
  );
}

/** Why sums of gradients do not do, and pairs of samples are needed; null where they do. */
export function sumsRefusal({ per, estimator }: Pick<Score, 'per' | 'estimator'>): string | null {
  if (!findEstimator(estimator).sums) {
    const able = estimators.filter(({ sums }) => sums).map(({ id }) => id);
    return `sums of gradients give the influence of ${able.join(' and ')} alone, and ${estimator} needs inner products of all pairs of samples; remove the key or set estimator: ${able[0]}`;
  }
  if (per === 'pair')
    return 'sums of gradients give the influence of all validation samples together, and per: pair needs that of single ones; remove one of both keys';
  return null;
}
