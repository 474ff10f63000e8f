/** What the estimator `ekfac` asks of the engine, and what that costs beside the Grams. */
import type { EkfacRequest } from '../../../protocol/engine.ts';
import type { Experiment } from '../../../protocol/experiment.ts';
import { ekfacDamping } from '../estimators/ekfac.ts';
import type { Estimator } from '../estimators/types.ts';

/** Undefined for the estimators that need Grams alone. */
export function ekfacRequest(estimator: Estimator, { score }: Experiment): EkfacRequest | undefined {
  if (!estimator.needs.includes('ekfac')) return undefined;
  return { fisher: score.fisher ?? 'true', seed: score.seed, damping: ekfacDamping(score.damping) };
}
