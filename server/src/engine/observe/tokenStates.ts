/** The residual stream at drawn positions of the texts, before the first layer and behind each. */
import { numbers } from '../runtime/runtime.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { drawnPositions, eachText } from './tokens.ts';
import type { Reducer } from './types.ts';

export const tokenStates: Reducer = {
  id: 'token_states',
  open({ tensors: { states, used, text: textOf }, options, texts, shape: { hidden } }) {
    const count = Number(options.tokens);
    const from = options.skip_first_token === true ? 1 : 0;
    const drawn = drawnPositions(texts, {
      count,
      seed: Number(options.seed),
      from,
      upTo: ({ tokens }) => tokens.length,
    });
    const take = (depth: number, batches: readonly Batch[], of: Activations): void => {
      const seen = batches.map((_, b) => numbers(of.at(b)!));
      eachText(batches, hidden, (text, b, start) => {
        for (const { place, position } of drawn.get(text) ?? []) {
          const at = start + position * hidden;
          states.data.set(seen[b].subarray(at, at + hidden), (depth * count + place) * hidden);
          used.data[place] = 1;
          textOf.data[place] = text;
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
