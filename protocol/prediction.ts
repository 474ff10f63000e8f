/** What `layerif predict` says: the Performance Law of one model, or the shapes that fit a budget. */

export type PredictedSize = 'layers' | 'hidden' | 'feedForward' | 'tokens' | 'parameters' | 'precisionLoss';

export interface Prediction {
  format: 'layerif-prediction';
  version: 1;
  /** Name of the model; null for numbers by hand. */
  name: string | null;
  input: {
    layers: number;
    hidden: number;
    feedForward: number;
    /** Billions. */
    parameters: number;
    /** Trillions. */
    tokens: number;
    precisionLoss: number;
  };
  /** Where the number of weights comes from. */
  parametersFrom: 'counted' | 'given' | 'estimated';
  /** Whether tokens were given; else as many as the law can use. */
  tokensFrom: 'given' | 'saturated';
  /** MMLU, 25 to 100. */
  score: number;
  /** Before the bounds. */
  raw: number;
  /** 0 to 1. */
  stability: number;
  /** Trillions. */
  effectiveTokens: number;
  /** Operations of the training, 6 S T. */
  trainingFlops: number;
  band: { low: number; high: number; level: number; rmse: number; models: number };
  sensitivities: { of: PredictedSize; value: number; unit: string; derivative: number; tenPercentMore: number }[];
  /** The score over other values of one size, the others as they are. */
  curves: { of: PredictedSize; values: number[]; scores: number[] }[];
  /** Layers taken away, an extrapolation. */
  removed: { layers: number; left: number; parameters: number; score: number }[];
  measured: { score: number; difference: number; verdict: 'above' | 'within' | 'below'; words: string } | null;
  /** What is empirical, unconfirmed or assumed. */
  notes: string[];
}

export interface ShapeSearch {
  format: 'layerif-shapes';
  version: 1;
  budget: { flops: number | null; parameters: number | null; tokens: number | null; precisionLoss: number };
  shapes: {
    layers: number;
    hidden: number;
    feedForward: number;
    parameters: number;
    tokens: number;
    score: number;
    stability: number;
    flops: number;
  }[];
  notes: string[];
}

/** What may be set by hand. */
export interface PredictionNumbers {
  layers?: number;
  hidden?: number;
  feedForward?: number;
  /** Billions. */
  parameters?: number;
  /** Trillions. */
  tokens?: number;
  precisionLoss?: number;
  /** Measured MMLU, 0 to 100. */
  measured?: number;
  /** Layers that are taken away; default: 1 to 8. */
  remove?: number;
}

/** The Performance Law of a model, `layerif predict`. */
export interface PredictParams extends PredictionNumbers {
  /** Absolute path of a config.json, a checkpoint folder or a .gguf file; empty: numbers alone. */
  path: string;
}
export interface PredictAnswer {
  /** Null with an error. */
  prediction: Prediction | null;
  error: { code: string; message: string } | null;
}
