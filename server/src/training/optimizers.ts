/**
 * The one table of optimisers. To add one, write its file after the model of `sgd.ts` and add it here and to
 * `OptimizerId`.
 */
import type { OptimizerId, OptimizerSettings } from '../../../protocol/optimizer.ts';
import { adamw } from './adamw.ts';
import { sgd } from './sgd.ts';
import type { OptimizerRule } from './types.ts';

export const optimizers: Record<OptimizerId, OptimizerRule> = { adamw, sgd };

export const optimizerDefaults: Omit<OptimizerSettings, 'learningRate'> = {
  id: 'adamw',
  weightDecay: 0.01,
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  momentum: 0,
  schedule: 'constant',
  warmupSteps: 0,
  clipNorm: null,
};
