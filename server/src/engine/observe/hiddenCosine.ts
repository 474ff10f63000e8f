/**
 * Cosine of a layer's input and output at each token, summed by text. A token where either is zero is counted as
 * skipped.
 */
import { numbers } from '../runtime/runtime.ts';
import type { Reducer } from './types.ts';

export const hiddenCosine: Reducer = {
  id: 'hidden_cosine',
  open({ tensors: { sum, tokens, skipped }, options, texts, shape: { hidden } }) {
    const first = options.skip_first_token === true ? 1 : 0;
    return {
      hidden(layer, batches, before, after) {
        for (const [b, { samples, length }] of batches.entries()) {
          const [x, y] = [numbers(before.at(b)!), numbers(after.at(b)!)];
          samples.forEach((text, row) => {
            const at = layer * texts.length + text;
            for (let t = first; t < texts[text].tokens.length; t++) {
              const start = (row * length + t) * hidden;
              let [xy, xx, yy] = [0, 0, 0];
              for (let i = start; i < start + hidden; i++) {
                xy += x[i] * y[i];
                xx += x[i] * x[i];
                yy += y[i] * y[i];
              }
              if (xx === 0 || yy === 0) skipped.data[at]++;
              else {
                sum.data[at] += xy / Math.sqrt(xx * yy);
                tokens.data[at]++;
              }
            }
          });
        }
      },
    };
  },
};
