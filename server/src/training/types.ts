/** What an optimiser is. */
import type { OptimizerSettings } from '../../../protocol/optimizer.ts';
import type { Parameters, Numbers } from './parameters.ts';

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
