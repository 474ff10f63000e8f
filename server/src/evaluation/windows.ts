/**
 * Texts that are longer than a model's context, cut into windows whose predicted tokens cover the text once.
 *
 * `rollingWindows` is the rule of lm-evaluation-harness (`loglikelihood_rolling`): the first token is predicted from a
 * prefix token, a later window keeps as much context as fits. `blockWindows` is the convention of the WikiText
 * perplexities of GPTQ, SparseGPT and Wanda: consecutive windows of the same length, the rest dropped, the first token
 * of each not predicted.
 */

export interface Window {
  tokens: Int32Array;
  /** Tokens from this position on are predicted, each from all before it. */
  countedFrom: number;
}

/** @param maxLength most tokens that the model reads at once; a window holds one more, its last being predicted only */
export function rollingWindows(tokens: Int32Array, prefix: number, maxLength: number): Window[] {
  const windows: Window[] = [];
  for (let from = 0; from < tokens.length; from += maxLength) {
    const end = Math.min(from + maxLength, tokens.length);
    const start = from === 0 ? 0 : Math.max(0, end - maxLength - 1);
    const part = tokens.subarray(start, end);
    windows.push(
      from === 0
        ? { tokens: Int32Array.of(prefix, ...part), countedFrom: 1 }
        : { tokens: part.slice(), countedFrom: from - start },
    );
  }
  return windows;
}

/** At least one window where there are two tokens: a text shorter than `length` is a window of its own. */
export function blockWindows(tokens: Int32Array, length: number): Window[] {
  if (tokens.length < length) return tokens.length < 2 ? [] : [{ tokens: tokens.slice(), countedFrom: 1 }];
  return Array.from({ length: Math.floor(tokens.length / length) }, (_, i) => ({
    tokens: tokens.slice(i * length, (i + 1) * length),
    countedFrom: 1,
  }));
}
