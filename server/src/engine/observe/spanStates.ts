/** The residual stream as the mean over each stretch of a text, before the first layer and behind each. */
import { numbers } from '../runtime/runtime.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { eachText } from './tokens.ts';
import type { Reducer } from './types.ts';

export const spanStates: Reducer = {
  id: 'span_states',
  open({ tensors: { states }, options, texts, shape: { hidden } }) {
    const count = Number(options.spans);
    const take = (depth: number, batches: readonly Batch[], of: Activations): void => {
      const seen = batches.map((_, b) => numbers(of.at(b)!));
      eachText(batches, hidden, (text, b, start) => {
        for (const { place, from, to } of texts[text].spans ?? []) {
          const at = (depth * count + place) * hidden;
          for (let h = 0; h < hidden; h++) {
            let sum = 0;
            for (let t = from; t < to; t++) sum += seen[b][start + t * hidden + h];
            states.data[at + h] = sum / (to - from);
          }
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
