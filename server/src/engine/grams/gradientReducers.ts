/**
 * What is observed of gradients while a backward sweep has them, matrix by matrix: each reducer belongs to the row of the same id in
 * `scores/observations.ts`. To add one: a row there, a file like `weightedGradients.ts`, and a row here.
 */
import type { Json, Tensors } from '../../../../protocol/scores.ts';
import { isGradientObservation } from '../../scores/observations.ts';
import type { GradientObservationId, ObservedShape } from '../../scores/observations.ts';
import { gradientNorms } from './gradientNorms.ts';
import { weightedGradients } from './weightedGradients.ts';

/** One linear module with the gradients of all texts. */
export interface CapturedMatrix {
  layer: number;
  module: string;
  /** Weight as the model has it, [rows, columns]; not to be changed. */
  weight(): Float32Array;
  /** Gradients summed over the texts of each batch; text i is in batch i mod count. The numbers of the last call are kept. */
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

export const gradientReducers: Record<GradientObservationId, GradientReducer> = {
  weighted_gradients: weightedGradients,
  gradient_norms: gradientNorms,
};

export function gradientReducerOf(id: string): GradientReducer {
  if (isGradientObservation(id)) return gradientReducers[id];
  throw new Error(`the engine observes no ${id} of gradients: it is of another version than the program that asks`);
}
