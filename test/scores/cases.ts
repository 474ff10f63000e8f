/**
 * One row for each score: observations of a model of three layers as literal numbers in, values out, worked out by hand or by the reference
 * (test/reference/scores). `scores.test.ts` loops over the rows and asks of each what must hold of every score.
 */
import type { Json, Tensors } from '../../protocol/scores.ts';
import type { ScoreNumbers } from '../../server/src/scores/types.ts';

export interface ScoreCase {
  score: string;
  options: Record<string, Json>;
  texts: number;
  /** By the names of the score's needs. */
  observed: Record<string, Tensors>;
  expected: { values: (number | null)[]; parts?: Record<string, (number | null)[]> };
  notes?: RegExp;
  /** Further things that must hold of the numbers. */
  also?: (numbers: ScoreNumbers) => void;
}

const f64 = (shape: number[], data: number[]) => ({ shape, data: Float64Array.from(data) });

/** Eigenvalues whose tail exponent is easy: the larger half has logarithms 0, 1, 1, ... times `step`. */
const spectrum = (step: number) => f64([6], [1e-3, 1e-2, 1e-1, 1, Math.exp(step), Math.exp(step)]);

export const scoreCases: readonly ScoreCase[] = [
  {
    // 1 - (0.5 + 1.5) / 4; no direction at all; an identity
    score: 'block_influence',
    options: {},
    texts: 2,
    observed: {
      cosine: {
        sum: f64([3, 2], [0.5, 1.5, 0, 0, 2, 2]),
        tokens: f64([3, 2], [2, 2, 0, 0, 2, 2]),
        skipped: f64([3, 2], [0, 0, 2, 2, 0, 0]),
      },
    },
    expected: { values: [0.5, null, 0] },
    notes:
      /4 tokens whose input or output is zero .* \(layer 1\)[\s\S]*layer 1: no token is left, so the value is undefined/,
  },
  {
    // 1 + k / (sum of logs of the three largest - 3 ln of the smallest of them) = 1 + 3 / (2 step)
    score: 'alpha_hill',
    options: { fit: 'mid' },
    texts: 0,
    observed: {
      spectra: Object.fromEntries(
        [1, 2, 3].flatMap((step, layer) => [
          [`${layer}.a`, spectrum(step)],
          [`${layer}.b`, spectrum(step / 2)],
        ]),
      ),
    },
    expected: {
      values: [1 + (1.5 + 3) / 2, 1 + (0.75 + 1.5) / 2, 1 + (0.5 + 1) / 2],
      parts: { a: [2.5, 1.75, 1.5], b: [4, 2.5, 2] },
    },
  },
  {
    // AV: 4 and 1 and 8; AS: 0.5, 0 and 0.25
    score: 'avss',
    options: {},
    texts: 2,
    observed: {
      moments: {
        variance: f64([3, 2], [3, 5, 1, 1, 8, 8]),
        below: f64([3, 2], [2, 6, 0, 0, 4, 0]),
        entries: f64([3, 2], [8, 8, 8, 8, 8, 8]),
        squares: f64([3, 2], [1, 1, 1, 1, 1, 1]),
      },
    },
    expected: {
      values: [8, null, 32],
      parts: { AV: [4, 1, 8], AS: [0.5, 0, 0.25], NAVSS: [0.2, null, 0.8], CAVSS: [0.2, 0.2, 1] },
    },
    notes: /^layer 1: no activation is below epsilon, so the value is undefined$/,
  },
  {
    score: 'owl',
    options: { multiple: 5 },
    texts: 2,
    observed: { outliers: { percent: f64([3], [0.5, 1, 2.25]) } },
    expected: { values: [0.5, 1, 2.25] },
  },
];
