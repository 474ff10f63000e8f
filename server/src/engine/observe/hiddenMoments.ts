/**
 * Output of a layer by text: unbiased variance over the features of its mean over the tokens, and how many entries are
 * smaller than a threshold, of how many. The threshold is a number, or a share of the root mean square of the layer's
 * outputs over all texts.
 */
import { numbers } from '../runtime/runtime.ts';
import type { Reducer } from './types.ts';

export const hiddenMoments: Reducer = {
  id: 'hidden_moments',
  open({ tensors: { variance, below, entries, squares }, options, texts, shape: { hidden } }) {
    const first = options.skip_first_token === true ? 1 : 0;
    return {
      hidden(layer, batches, _before, after) {
        const each = (visit: (at: number, states: Float32Array, start: number, tokens: number) => void): void => {
          for (const [b, { samples, length }] of batches.entries()) {
            const states = numbers(after.at(b)!);
            samples.forEach((text, row) => {
              const tokens = texts[text].tokens.length - first;
              if (tokens > 0) visit(layer * texts.length + text, states, (row * length + first) * hidden, tokens);
            });
          }
        };
        let [sum, count] = [0, 0];
        each((at, states, start, tokens) => {
          const means = new Float64Array(hidden);
          let squared = 0;
          for (let t = 0, i = start; t < tokens; t++) {
            for (let h = 0; h < hidden; h++, i++) {
              const value = states[i];
              means[h] += value;
              squared += value * value;
            }
          }
          for (let h = 0; h < hidden; h++) means[h] /= tokens;
          squares.data[at] = squared;
          const mean = means.reduce((a, b) => a + b, 0) / hidden;
          variance.data[at] = means.reduce((total, value) => total + (value - mean) ** 2, 0) / (hidden - 1);
          entries.data[at] = tokens * hidden;
          sum += squares.data[at];
          count += entries.data[at];
        });
        const size = Number(options.epsilon);
        const limit = options.threshold === 'relative' ? size * Math.sqrt(sum / count) : size;
        each((at, states, start, tokens) => {
          let count = 0;
          for (let i = start; i < start + tokens * hidden; i++) if (Math.abs(states[i]) < limit) count++;
          below.data[at] = count;
        });
      },
    };
  },
};
