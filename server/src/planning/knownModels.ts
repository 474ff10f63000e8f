/**
 * Models whose MMLU is known, as a measure of how far the Performance Law is off. The published scores are quoted from
 * memory, not from their reports: a plausibility check, no reference.
 */
import { studentQuantile } from '../statistics/student.ts';
import { predictScore } from './performanceLaw.ts';
import type { LawInput } from './performanceLaw.ts';

export interface KnownModel extends LawInput {
  name: string;
  /** MMLU, from memory. */
  published: number;
}

const model = (
  name: string,
  [layers, hidden, feedForward, tokens, parameters]: [number, number, number, number, number],
  published: number,
): KnownModel => ({ name, layers, hidden, feedForward, tokens, parameters, published });

export const knownModels: readonly KnownModel[] = [
  model('Llama-2-7B', [32, 4096, 11008, 2, 6.7], 45.3),
  model('Llama-2-13B', [40, 5120, 13824, 2, 13], 54.8),
  model('Llama-2-70B', [80, 8192, 28672, 2, 69], 68.9),
  model('Llama-3-8B', [32, 4096, 14336, 15, 8.0], 66.6),
  model('Llama-3-70B', [80, 8192, 28672, 15, 70.6], 79.5),
  model('Qwen2-0.5B', [24, 896, 4864, 12, 0.5], 45.4),
  model('Qwen2-7B', [28, 3584, 18944, 7, 7.6], 70.3),
  model('GPT-2 small', [12, 768, 3072, 0.01, 0.124], 26),
];

export const BAND_LEVEL = 0.9;

/**
 * How far a measured score may lie from a prediction: Student's t times the root mean square error over these models.
 */
export function errorBand(): { halfWidth: number; rmse: number; models: number; level: number } {
  const squares = knownModels.map((known) => (predictScore(known).score - known.published) ** 2);
  const rmse = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
  return {
    halfWidth: studentQuantile(BAND_LEVEL, squares.length) * rmse,
    rmse,
    models: squares.length,
    level: BAND_LEVEL,
  };
}
