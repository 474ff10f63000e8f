/**
 * Output of a layer by text: unbiased variance over the features of its mean over the tokens, and how many entries are
 * smaller than a threshold, of how many. All tokens are looked at, or the counted ones. The threshold is a number, or a
 * share of the root mean square of the layer's outputs over all texts.
 */
import { numbers } from '../runtime/runtime.ts';
import type { Reducer } from './types.ts';

export const hiddenMoments: Reducer = {
  id: 'hidden_moments',
  open({ tensors: { variance, below, entries, squares }, options, texts, shape: { hidden } }) {
    const first = options.skip_first_token === true ? 1 : 0;
    const positions = texts.map(({ tokens, countedFrom, counted }) => {
      const all = Array.from(tokens, (_, t) => t);
      if (options.counted !== true) return all.slice(first);
      return all.filter((t) => t >= countedFrom && (counted === undefined || counted[t] === 1));
    });
    return {
      hidden(layer, batches, _before, after) {
        const each = (visit: (at: number, states: Float32Array, starts: number[]) => void): void => {
          for (const [b, { samples, length }] of batches.entries()) {
            const states = numbers(after.at(b)!);
            samples.forEach((text, row) => {
              const starts = positions[text].map((t) => (row * length + t) * hidden);
              if (starts.length > 0) visit(layer * texts.length + text, states, starts);
            });
          }
        };
        let [sum, count] = [0, 0];
        each((at, states, starts) => {
          const tokens = starts.length;
          const means = new Float64Array(hidden);
          let squared = 0;
          for (const start of starts) {
            for (let h = 0, i = start; h < hidden; h++, i++) {
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
        each((at, states, starts) => {
          let count = 0;
          for (const start of starts) {
            for (let i = start; i < start + hidden; i++) if (Math.abs(states[i]) < limit) count++;
          }
          below.data[at] = count;
        });
      },
    };
  },
};
