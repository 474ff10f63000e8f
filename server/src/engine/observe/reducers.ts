/** The reducers that there are. To add one: a row of `scores/observations.ts`, a file like `hiddenCosine.ts`, and a row here. */
import { isObservation } from '../../scores/observations.ts';
import type { ObservationId } from '../../scores/observations.ts';
import { hiddenCosine } from './hiddenCosine.ts';
import { hiddenMoments } from './hiddenMoments.ts';
import { hiddenPooled } from './hiddenPooled.ts';
import { inputNorms } from './inputNorms.ts';
import { logProbabilities } from './logProbabilities.ts';
import { outliers } from './outliers.ts';
import type { Reducer } from './types.ts';
import { weightSpectra } from './weightSpectra.ts';

export const reducers: Record<ObservationId, Reducer> = {
  weight_spectra: weightSpectra,
  hidden_pooled: hiddenPooled,
  hidden_cosine: hiddenCosine,
  hidden_moments: hiddenMoments,
  outliers,
  input_norms: inputNorms,
  log_probabilities: logProbabilities,
};

export function reducerOf(id: string): Reducer {
  if (isObservation(id)) return reducers[id];
  throw new Error(`the engine observes no ${id}: it is of another version than the program that asks`);
}
