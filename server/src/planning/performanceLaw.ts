/**
 * Performance Law of large language models (Wu & Tang, arXiv 2408.09895): the MMLU score of a dense model from its
 * shape and the number of tokens that it was trained on, an empirical fit to models of 2024 and before.
 *
 *     T' = min(T, S)                         T in trillions of tokens, S in billions of weights
 *     u  = exp(-((10/d + 20/h) γ N)²)        N layers, hidden size h, size d of the feed-forward network
 *     MMLU = a ln(u N) + b ln(u h) + c ln(u d) + e ln(u T') + k
 *
 * Below 25 it is 25 (guessing); above 90 it is 90 + 10 tanh(0.1 x - 9). Constants as in the first author's planner
 * (performance-law-planner); whether the paper prints the same digits could not be confirmed.
 */

export interface Shape {
  /** N */
  layers: number;
  /** h */
  hidden: number;
  /** d */
  feedForward: number;
  /** S, in billions. */
  parameters: number;
}

export interface LawInput extends Shape {
  /** T, in trillions. */
  tokens: number;
  /** γ >= 1: loss of precision, 1 = BF16. */
  precisionLoss?: number;
}

export interface LawOutput {
  /** MMLU, 25 to 100. */
  score: number;
  /** Before the bounds. */
  raw: number;
  /** u: what deep and narrow models lose, 0 to 1. */
  stability: number;
  /** T'. */
  effectiveTokens: number;
}

const layersWeight = 13.95018192;
const hiddenWeight = 0.23072027;
const feedForwardWeight = -0.48523402;
const tokensWeight = 5.39801689;
const constant = 9.195410648934768;
const stabilityWeight = layersWeight + hiddenWeight + feedForwardWeight + tokensWeight;

/** MMLU of guessing among four answers. */
export const CHANCE = 25;
const CEILING = 90;

export function predictScore({
  layers,
  hidden,
  feedForward,
  parameters,
  tokens,
  precisionLoss = 1,
}: LawInput): LawOutput {
  const depth = (10 / feedForward + 20 / hidden) * precisionLoss * layers;
  const effectiveTokens = Math.min(tokens, parameters);
  const raw =
    layersWeight * Math.log(layers) +
    hiddenWeight * Math.log(hidden) +
    feedForwardWeight * Math.log(feedForward) +
    tokensWeight * Math.log(effectiveTokens) -
    stabilityWeight * depth * depth +
    constant;
  return { score: bounded(raw), raw, stability: Math.exp(-depth * depth), effectiveTokens };
}

function bounded(raw: number): number {
  if (raw < CHANCE) return CHANCE;
  return raw > CEILING ? CEILING + 10 * Math.tanh(0.1 * raw - 9) : raw;
}

/** Derivatives of the bounded score. */
export type Sensitivities = Record<
  'layers' | 'hidden' | 'feedForward' | 'tokens' | 'parameters' | 'precisionLoss',
  number
>;

/** Points of MMLU per layer, per unit of h and d, per trillion tokens, per billion weights, per unit of γ. */
export function sensitivities(input: LawInput): Sensitivities {
  const { layers, hidden, feedForward, parameters, tokens, precisionLoss = 1 } = input;
  const { raw } = predictScore(input);
  const rate = precisionLoss * layers;
  const depth = (10 / feedForward + 20 / hidden) * rate;
  /** Of -stabilityWeight · depth² by depth. */
  const fall = -2 * stabilityWeight * depth;
  const slope = raw < CHANCE ? 0 : raw > CEILING ? 1 - Math.tanh(0.1 * raw - 9) ** 2 : 1;
  return {
    layers: slope * (layersWeight / layers + (fall * depth) / layers),
    hidden: slope * (hiddenWeight / hidden - (fall * 20 * rate) / hidden ** 2),
    feedForward: slope * (feedForwardWeight / feedForward - (fall * 10 * rate) / feedForward ** 2),
    tokens: slope * (tokens < parameters ? tokensWeight / tokens : 0),
    parameters: slope * (parameters < tokens ? tokensWeight / parameters : 0),
    precisionLoss: (slope * fall * depth) / precisionLoss,
  };
}

/** What the estimate of the number of weights takes from a configuration; what is left out is as in the planner. */
export interface WeightCounts {
  /** Outputs of the key (and of the value) projection; default 8 heads of 128. */
  keyValueWidth?: number | undefined;
  /** Outputs of the query projection; default h. */
  queryWidth?: number | undefined;
  /** Default 150,000. */
  vocabulary?: number | undefined;
  /** Head and embedding are one matrix; default false. */
  tied?: boolean | undefined;
  /** Matrices of the feed-forward network: 3 with a gate, 2 without; default 3. */
  matrices?: number | undefined;
}

/** In billions. Without `counts` the planner's (2·h·128·8 + 2h² + 3hd) N + 2·150000·h. */
export function estimatedParameters(shape: Omit<Shape, 'parameters'>, counts: WeightCounts = {}): number {
  const { layers, hidden } = shape;
  const { vocabulary = 150_000, tied = false } = counts;
  return (weightsPerLayer(shape, counts) * layers + (tied ? 1 : 2) * vocabulary * hidden) / 1e9;
}

/** Weights of one layer. */
export function weightsPerLayer({ hidden, feedForward }: Omit<Shape, 'parameters'>, counts: WeightCounts = {}): number {
  const { keyValueWidth = 8 * 128, queryWidth = hidden, matrices = 3 } = counts;
  return 2 * hidden * keyValueWidth + 2 * hidden * queryWidth + matrices * hidden * feedForward;
}

/** Operations of a training: 6 S T. @param parameters in billions @param tokens in trillions */
export function trainingFlops(parameters: number, tokens: number): number {
  return 6 * parameters * 1e9 * tokens * 1e12;
}
