/**
 * The reducers that there are. To add one: a row of `scores/observations.ts`, a file like `hiddenCosine.ts`, and a row
 * here.
 */
import { isForwardObservation } from '../../scores/observations.ts';
import type { ForwardObservationId } from '../../scores/observations.ts';
import { ablatedLosses, greedyRemoval, removedLosses } from './ablated.ts';
import { hiddenChange } from './hiddenChange.ts';
import { hiddenCosine } from './hiddenCosine.ts';
import { hiddenMoments } from './hiddenMoments.ts';
import { hiddenPooled } from './hiddenPooled.ts';
import { inputNorms } from './inputNorms.ts';
import { logitLens } from './logitLens.ts';
import { logProbabilities } from './logProbabilities.ts';
import { outliers } from './outliers.ts';
import { spanStates } from './spanStates.ts';
import { tokenLogProbabilities } from './tokenLogProbabilities.ts';
import { textStates } from './textStates.ts';
import { tokenStates } from './tokenStates.ts';
import type { Reducer } from './types.ts';
import { weightSizes } from './weightSizes.ts';
import { weightSpectra } from './weightSpectra.ts';

/** Those of gradients stand in `grams/gradientReducers.ts`. */
export const reducers: Record<ForwardObservationId, Reducer> = {
  weight_spectra: weightSpectra,
  weight_sizes: weightSizes,
  hidden_pooled: hiddenPooled,
  text_states: textStates,
  token_states: tokenStates,
  span_states: spanStates,
  hidden_change: hiddenChange,
  hidden_cosine: hiddenCosine,
  hidden_moments: hiddenMoments,
  outliers,
  input_norms: inputNorms,
  log_probabilities: logProbabilities,
  token_log_probabilities: tokenLogProbabilities,
  logit_lens: logitLens,
  ablated_losses: ablatedLosses,
  greedy_removal: greedyRemoval,
  removed_losses: removedLosses,
};

export function reducerOf(id: string): Reducer {
  if (isForwardObservation(id)) return reducers[id];
  throw new Error(`the engine observes no ${id}: it is of another version than the program that asks`);
}
