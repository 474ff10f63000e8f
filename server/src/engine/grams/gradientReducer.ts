/** What a reducer of gradients is shown, and what it is: `gradientReducers.ts` lists them. */
import type { Json, Tensors } from '../../../../protocol/scores.ts';
import type { GradientObservationId, ObservedShape } from '../../scores/observations.ts';

/** One linear module with the gradients of all texts. */
export interface CapturedMatrix {
  layer: number;
  module: string;
  /** Weight as the model has it, [rows, columns]; not to be changed. */
  weight(): Float32Array;
  /**
   * Gradients summed over the texts of each batch; text i is in batch i mod count. The numbers of the last call are
   * kept.
   */
  sums(count: number): Promise<readonly Float32Array[]>;
  /** Squared norm of each text's gradient. */
  squaredNorms(): Promise<Float64Array>;
}

export interface GradientContext {
  options: Record<string, Json>;
  shape: ObservedShape;
  /** Written in place. */
  tensors: Tensors;
}

export interface GradientReducer {
  id: GradientObservationId;
  /** @returns what is called with each matrix, from the last layer down */
  open(context: GradientContext): (matrix: CapturedMatrix) => Promise<void>;
}
