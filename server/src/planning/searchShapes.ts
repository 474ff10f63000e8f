/**
 * Which shapes promise most under a budget, by the Performance Law. As in the authors' planner the hidden size is a
 * multiple of 1024, the feed-forward size one of 4096, and the number of layers leaves 6 or 7 when divided by 8 (that
 * multiples of 8 are avoided is the planner's rule; its reason is not stated).
 */
import { estimatedParameters, predictScore, trainingFlops } from './performanceLaw.ts';
import type { LawInput } from './performanceLaw.ts';

export interface Budget {
  /** Operations of the training, 6 S T; at most. */
  flops?: number | undefined;
  /** Weights in billions; at most. */
  parameters?: number | undefined;
  /** Tokens there are, in trillions; at most. */
  tokens?: number | undefined;
  precisionLoss?: number | undefined;
}

export interface FoundShape extends LawInput {
  score: number;
  stability: number;
  flops: number;
}

const HIDDEN_STEP = 1024;
const FEED_FORWARD_STEP = 4096;
const MOST_LAYERS = 191;
const MOST_HIDDEN = 24 * HIDDEN_STEP;
const MOST_FEED_FORWARD = 32 * FEED_FORWARD_STEP;

/** The least number of weights of a shape that is looked at, in billions. */
export const leastParameters = estimatedParameters({ layers: 6, hidden: HIDDEN_STEP, feedForward: FEED_FORWARD_STEP });

/**
 * The best shapes, best first. Each gets as many tokens as the budget of operations pays for, at most those there are.
 */
export function searchShapes(
  { flops = Infinity, parameters = Infinity, tokens = Infinity, precisionLoss = 1 }: Budget,
  most = 10,
): FoundShape[] {
  const found: FoundShape[] = [];
  for (let layers = 6; layers <= MOST_LAYERS; layers++) {
    if (layers % 8 < 6) continue;
    for (let hidden = HIDDEN_STEP; hidden <= MOST_HIDDEN; hidden += HIDDEN_STEP)
      for (let feedForward = FEED_FORWARD_STEP; feedForward <= MOST_FEED_FORWARD; feedForward += FEED_FORWARD_STEP) {
        const size = estimatedParameters({ layers, hidden, feedForward });
        if (size > parameters) break;
        const paid = Math.min(tokens, flops / trainingFlops(size, 1));
        // More tokens than T' = S change nothing, so none are paid for.
        const spent = Math.min(paid, size);
        const input = { layers, hidden, feedForward, parameters: size, tokens: spent, precisionLoss };
        const { score, raw, stability } = predictScore(input);
        if (!Number.isFinite(raw)) continue;
        found.push({ ...input, score, stability, flops: trainingFlops(size, spent) });
      }
  }
  // Of equal scores the smaller model.
  return found.sort((a, b) => b.score - a.score || a.parameters - b.parameters).slice(0, most);
}
