/** The one table of pruners. To add one, write its file after the model of `wanda.ts` and add it here. */
import { LayerifError } from '../../../protocol/errors.ts';
import { magnitude } from './magnitude.ts';
import { sparsegpt } from './sparsegpt.ts';
import type { Pruner } from './types.ts';
import { wanda } from './wanda.ts';

export const pruners: readonly Pruner[] = [magnitude, wanda, sparsegpt];

/** @throws LayerifError `badExperiment` that lists the ids there are. */
export function findPruner(id: string): Pruner {
  const found = pruners.find((pruner) => pruner.id === id);
  if (found) return found;
  throw new LayerifError(
    'badExperiment',
    `pruning method "${id}" is not available: use one of ${pruners.map((p) => p.id).join(', ')}`,
  );
}
