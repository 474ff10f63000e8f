/**
 * How large a layer's change of the residual stream is beside its output, summed by text. A token whose output is zero
 * is counted as skipped.
 */
import { numbers } from '../runtime/runtime.ts';
import { eachText } from './tokens.ts';
import type { Reducer } from './types.ts';

export const hiddenChange: Reducer = {
  id: 'hidden_change',
  open({ tensors: { sum, tokens, skipped }, options, texts, shape: { hidden } }) {
    const first = options.skip_first_token === true ? 1 : 0;
    return {
      hidden(layer, batches, before, after) {
        const [xs, ys] = [before, after].map((of) => batches.map((_, b) => numbers(of.at(b)!)));
        eachText(batches, hidden, (text, b, row) => {
          const [x, y] = [xs[b], ys[b]];
          const at = layer * texts.length + text;
          for (let t = first; t < texts[text].tokens.length; t++) {
            const start = row + t * hidden;
            let [change, size] = [0, 0];
            for (let i = start; i < start + hidden; i++) {
              const difference = y[i] - x[i];
              change += difference * difference;
              size += y[i] * y[i];
            }
            if (size === 0) skipped.data[at]++;
            else {
              sum.data[at] += Math.sqrt(change / size);
              tokens.data[at]++;
            }
          }
        });
      },
    };
  },
};
