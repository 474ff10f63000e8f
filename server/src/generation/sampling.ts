/**
 * The next token from the logits, by the processors of transformers in their order: repetition penalty (Keskar et al.
 * 2019, arXiv 1909.05858), temperature, top-k (Fan et al. 2018, arXiv 1805.04833), top-p (Holtzman et al. 2020, arXiv
 * 1904.09751), min-p (arXiv 2407.01082). Tokens that are left out have probability 0. Checked against transformers by
 * test/generation/sampling.test.ts.
 */
import type { Sampling } from '../../../protocol/generation.ts';
import type { Random } from '../random/random.ts';

/** The first of the largest. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** @param seen tokens of the text so far, the prompt's too @returns new logits */
export function penalised(logits: Float32Array, seen: Iterable<number>, penalty: number): Float32Array {
  if (penalty === 1) return logits;
  const changed = logits.slice();
  for (const token of seen) changed[token] = logits[token] < 0 ? logits[token] * penalty : logits[token] / penalty;
  return changed;
}

/** Tokens that may be drawn with their probabilities, which add up to one. */
export interface Choices {
  /** The most probable first, where some are left out. */
  tokens: Int32Array;
  probabilities: Float64Array;
}

export function choicesOf(logits: Float32Array, { temperature, topK, topP, minP }: Sampling): Choices {
  const every = topK === 0 || topK >= logits.length;
  const ordered = !every || topP < 1 || minP > 0;
  const order = ordered ? mostProbable(logits, every ? logits.length : topK) : Int32Array.from(logits.keys());
  const largest = logits[ordered ? order[0] : likeliest(logits)];
  let weights = Float64Array.from(order, (token) => Math.exp((logits[token] - largest) / temperature));
  let kept = weights.length;
  const sumOf = (count: number): number => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += weights[i];
    return sum;
  };
  if (topP < 1) {
    // A token stays while those before it do not reach p; the first stays always.
    const total = sumOf(kept);
    let before = 0;
    let count = 0;
    while (count < kept && (count === 0 || before < topP * total)) before += weights[count++];
    kept = count;
  }
  if (minP > 0) while (kept > 1 && weights[kept - 1] < minP) kept--;
  weights = weights.subarray(0, kept);
  const total = sumOf(kept);
  return { tokens: order.subarray(0, kept), probabilities: weights.map((w) => w / total) };
}

/** Draws by one uniform number. */
export function draw({ tokens, probabilities }: Choices, random: Random): number {
  let left = random.uniform();
  for (let i = 0; i < tokens.length; i++) {
    left -= probabilities[i];
    if (left < 0) return tokens[i];
  }
  return tokens[tokens.length - 1];
}

/** @throws Error where a logit is not a number: the model overflows or its weights are damaged */
export function nextToken(
  logits: Float32Array,
  seen: Iterable<number>,
  sampling: Sampling,
  random: Random | null,
): number {
  const changed = penalised(logits, seen, sampling.repetitionPenalty);
  const best = likeliest(changed);
  if (!Number.isFinite(changed[best])) throw new Error(`the largest logit is ${changed[best]}`);
  return random === null ? best : draw(choicesOf(changed, sampling), random);
}

/**
 * The `count` tokens of the largest logits, largest first, of equals the first first; a token that ties with the last
 * one stays.
 */
function mostProbable(logits: Float32Array, count: number): Int32Array {
  const candidates = count < logits.length ? atLeast(logits, count) : Int32Array.from(logits.keys());
  return candidates.sort((a, b) => logits[b] - logits[a] || a - b);
}

/** Tokens whose logits are not below the `count`-th largest. */
function atLeast(logits: Float32Array, count: number): Int32Array {
  // A heap with the smallest of the largest on top.
  const heap: number[] = [];
  for (const value of logits) {
    if (heap.length < count) {
      heap.push(value);
      for (let i = heap.length - 1; i > 0;) {
        const parent = (i - 1) >> 1;
        if (heap[parent] <= heap[i]) break;
        [heap[parent], heap[i]] = [heap[i], heap[parent]];
        i = parent;
      }
    } else if (value > heap[0]) {
      heap[0] = value;
      for (let i = 0; ;) {
        const left = 2 * i + 1;
        const child = left + 1 < count && heap[left + 1] < heap[left] ? left + 1 : left;
        if (child >= count || heap[i] <= heap[child]) break;
        [heap[child], heap[i]] = [heap[i], heap[child]];
        i = child;
      }
    }
  }
  const least = heap[0];
  const found: number[] = [];
  for (let i = 0; i < logits.length; i++) if (logits[i] >= least) found.push(i);
  return Int32Array.from(found);
}
