/**
 * What a reducer is: it sees the layers pass by and adds to the numbers of one observation (`scores/observations.ts`).
 * Each row of `reducers.ts` belongs to the row of the same id there, which says what it is shown and how its numbers
 * are laid out.
 */
import type { Json, Tensors } from '../../../../protocol/scores.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { InputStatistics } from '../../pruning/types.ts';
import type { ObservationId, ObservedShape } from '../../scores/observations.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import type { AblationPass } from './ablation.ts';

export interface ReducerContext {
  model: Model;
  options: Record<string, Json>;
  texts: EncodedSample[];
  shape: ObservedShape;
  /** The numbers so far, written in place: zeros, or what an interrupted pass has left. */
  tensors: Tensors;
  /** Counted positions per run of the head. */
  headRows: number;
}

/**
 * Whichever of these the reducer's row of `scores/observations.ts` names as what it reads. Layers come in ascending
 * order.
 */
export interface Fold {
  weights?(layer: number): void | Promise<void>;
  /** @param inputs sums over the tokens of the group, by module name */
  inputs?(layer: number, inputs: ReadonlyMap<string, InputStatistics>): void | Promise<void>;
  /** @param before @param after per batch [B, T, hidden]; positions from a row's length on are padding */
  hidden?(layer: number, batches: readonly Batch[], before: Activations, after: Activations): void | Promise<void>;
  /** @param last output of the last layer, before the final norm */
  logits?(batches: readonly Batch[], last: Activations): void | Promise<void>;
  /** Passes of its own over the layers, after the common one. */
  own?: {
    rounds: number;
    /** Whether it looks at the text with this index. */
    reads: (text: number) => boolean;
    /** One round of one group of texts. @returns what the pass still holds; the caller lets it go */
    run: (
      round: number,
      batches: Batch[],
      tools: Pick<AblationPass, 'store' | 'start' | 'onLayer'>,
    ) => Promise<readonly Activations[]>;
  };
}

export interface Reducer {
  id: ObservationId;
  open(context: ReducerContext): Fold;
}
