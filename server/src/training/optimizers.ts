/** The one table of optimisers. To add one, write its file after the model of `sgd.ts` and add it here and to `OptimizerId`. */
import type { OptimizerId, OptimizerSettings } from '../../../protocol/training.ts';
import { adamw } from './adamw.ts';
import type { Numbers, Parameters } from './parameters.ts';
import { sgd } from './sgd.ts';

export interface Optimizer {
  /** Changes `parameters` in place. @throws Error naming a parameter without a gradient */
  step(parameters: Parameters, gradients: Numbers, learningRate: number): void;
}

export interface OptimizerRule {
  title: string;
  /** Paper or origin. */
  source: string;
  /** A new state: moments at zero. */
  create(settings: OptimizerSettings): Optimizer;
}

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
