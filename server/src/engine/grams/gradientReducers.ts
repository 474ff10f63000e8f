/**
 * What is observed of gradients while a backward sweep has them, matrix by matrix: each reducer belongs to the row of
 * the same id in `scores/observations.ts`. To add one: a row there, a file like `weightedGradients.ts`, and a row here.
 */
import { isGradientObservation } from '../../scores/observations.ts';
import type { GradientObservationId } from '../../scores/observations.ts';
import { claimedWeights } from './claimedWeights.ts';
import { gradientNorms } from './gradientNorms.ts';
import type { GradientReducer } from './gradientReducer.ts';
import { weightedGradients } from './weightedGradients.ts';
import { weightProducts } from './weightProducts.ts';

export const gradientReducers: Record<GradientObservationId, GradientReducer> = {
  weighted_gradients: weightedGradients,
  gradient_norms: gradientNorms,
  claimed_weights: claimedWeights,
  weight_products: weightProducts,
};

export function gradientReducerOf(id: string): GradientReducer {
  if (isGradientObservation(id)) return gradientReducers[id];
  throw new Error(`the engine observes no ${id} of gradients: it is of another version than the program that asks`);
}
