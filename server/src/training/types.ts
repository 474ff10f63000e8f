/** What an optimiser is. */
import type { OptimizerSettings } from '../../../protocol/optimizer.ts';
import type { Parameters, Numbers } from './parameters.ts';

/** What the next step depends on beside the parameters: steps so far, and numbers of each parameter by kind. */
export interface OptimizerState {
  steps: number;
  moments: Readonly<Record<string, Parameters>>;
}

export interface Optimizer {
  /** Changes `parameters` in place. @throws Error naming a parameter without a gradient */
  step(parameters: Parameters, gradients: Numbers, learningRate: number): void;
  /** As it is now, not a copy. */
  state(): OptimizerState;
  /** Goes on from a state of the same optimiser and parameters. */
  restore(state: OptimizerState): void;
}

export interface OptimizerRule {
  title: string;
  /** Paper or origin. */
  source: string;
  /** A new state: moments at zero. */
  create(settings: OptimizerSettings): Optimizer;
}
