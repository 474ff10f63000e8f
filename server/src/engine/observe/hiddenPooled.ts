/** Hidden states behind chosen layers, one vector per text: of its last token, and the mean over its tokens. */
import { chosenLayers } from '../../scores/observations.ts';
import { numbers } from '../runtime/runtime.ts';
import type { Reducer } from './types.ts';

export const hiddenPooled: Reducer = {
  id: 'hidden_pooled',
  open({ tensors: { last, mean }, options, texts, shape }) {
    const { hidden } = shape;
    const layers = chosenLayers(shape, options);
    return {
      hidden(layer, batches, _before, after) {
        const place = layers.indexOf(layer);
        if (place < 0) return;
        for (const [b, batch] of batches.entries()) {
          const states = numbers(after.at(b)!);
          batch.samples.forEach((text, row) => {
            const count = texts[text].tokens.length;
            const start = row * batch.length * hidden;
            const to = (place * texts.length + text) * hidden;
            for (let h = 0; h < hidden; h++) {
              let sum = 0;
              for (let t = 0; t < count; t++) sum += states[start + t * hidden + h];
              mean.data[to + h] = sum / count;
              last.data[to + h] = states[start + (count - 1) * hidden + h];
            }
          });
        }
      },
    };
  },
};
