/** What a reducer of gradients is shown, and what it is: `gradientReducers.ts` lists them. */
import type { Json, Tensors } from '../../../../protocol/scores.ts';
import type { Standard } from '../../scores/claimed.ts';
import type { GradientObservationId, ObservedShape } from '../../scores/observations.ts';
import type { SummedGradients } from './summedGradients.ts';

/** One linear module with the gradients of all texts. */
export interface CapturedMatrix {
  layer: number;
  module: string;
  /** Entries lie in an order of their own, in weights and sums alike: where in [rows, columns] an entry is. */
  place(entry: number): number;
  /** As the model has it; not to be changed. */
  weight(): Float32Array;
  /** Gradients summed over so many batches of texts, text i in batch i mod count; made once for each count. */
  summed(count: number): Promise<SummedGradients>;
  /**
   * How many standardised weights are below the standardised rest without each batch of texts.
   * @param rests of each of as many batches as `summed` was asked for
   */
  countBelow(own: Standard, rests: readonly Standard[]): Promise<Float64Array>;
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
