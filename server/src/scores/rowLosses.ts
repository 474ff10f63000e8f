/** Mean losses of rows from the log-probabilities of their counted tokens. */
import type { EncodedSample } from '../../../protocol/samples.ts';
import type { RowNeed, RowTexts, TextForm } from './dataTypes.ts';
import { entry } from '../lists/entry.ts';

/** The one observation that scores of rows and tokens share, so that they share a sweep. */
export function tokenLosses(form: TextForm['form'], prefix = ''): RowNeed {
  return { of: 'token_log_probabilities', options: {}, text: { form, prefix } };
}

/** Of each text: index of its first token among the tokens of all texts. */
export function startsOf(samples: readonly EncodedSample[]): number[] {
  let tokens = 0;
  return samples.map((sample) => {
    const start = tokens;
    tokens += sample.tokens.length;
    return start;
  });
}

/** Of each text the log-probability of its counted tokens together, in nats. */
export function logProbabilities({ samples, tensors }: Pick<RowTexts, 'samples' | 'tensors'>): Float64Array {
  const starts = startsOf(samples);
  const { data } = entry(tensors, 'logProbability');
  return Float64Array.from(samples, ({ tokens, countedFrom }, text) => {
    const start = starts[text];
    let sum = 0;
    for (let t = countedFrom; t < tokens.length; t++) sum += data[start + t];
    return sum;
  });
}

/** Per row the mean negative log-probability of its counted tokens in nats; NaN where there are none. */
export function meanLosses({ samples, text, tensors }: RowTexts): Float64Array {
  const starts = startsOf(samples);
  const { data } = entry(tensors, 'logProbability');
  return Float64Array.from(text, (index) => {
    if (index < 0) return NaN;
    const { tokens, countedFrom } = samples[index];
    const start = starts[index];
    let sum = 0;
    for (let t = countedFrom; t < tokens.length; t++) sum -= data[start + t];
    return tokens.length > countedFrom ? sum / (tokens.length - countedFrom) : NaN;
  });
}
