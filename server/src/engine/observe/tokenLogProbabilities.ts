/** Log-probability of each counted token, in the order of the texts and of their tokens. */
import { countedTokens } from './logProbabilities.ts';
import type { Reducer } from './types.ts';

export const tokenLogProbabilities: Reducer = {
  id: 'token_log_probabilities',
  open({ model, tensors: { logProbability }, texts, headRows }) {
    let tokens = 0;
    const starts = texts.map((text) => {
      const start = tokens;
      tokens += text.tokens.length;
      return start;
    });
    return {
      async logits(batches, last) {
        for (const [b, batch] of batches.entries()) {
          await countedTokens(model, batch, last.at(b)!, headRows, (text, value, _likeliest, token) => {
            logProbability.data[starts[text] + token] = value;
          });
        }
      },
    };
  },
};
