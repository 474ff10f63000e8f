/**
 * The residual stream of each text as one vector, before the first layer and behind each: of its last token, or the
 * mean over its tokens.
 */
import { numbers } from '../runtime/runtime.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { eachText } from './tokens.ts';
import type { Reducer } from './types.ts';

export const textStates: Reducer = {
  id: 'text_states',
  open({ tensors: { states }, options, texts, shape: { hidden } }) {
    const mean = options.pool === 'mean';
    const take = (depth: number, batches: readonly Batch[], of: Activations): void => {
      const seen = batches.map((_, b) => numbers(of.at(b)!));
      eachText(batches, hidden, (text, b, start) => {
        const count = texts[text].tokens.length;
        const to = (depth * texts.length + text) * hidden;
        for (let h = 0; h < hidden; h++) {
          let sum = 0;
          for (let t = mean ? 0 : count - 1; t < count; t++) sum += seen[b][start + t * hidden + h];
          states.data[to + h] = mean ? sum / count : sum;
        }
      });
    };
    return {
      hidden(layer, batches, before, after) {
        if (layer === 0) take(0, batches, before);
        take(layer + 1, batches, after);
      },
    };
  },
};
