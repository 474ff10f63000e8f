/**
 * How large the damping λ in (F + λ I)⁻¹ is, F = GᵀG / n being the empirical Fisher of one weight matrix.
 *
 * One row per rule. A new rule is a new row and a new word in `DampingRule`.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { DampingRule } from '../../../protocol/experiment.ts';
import { sizeOf, trace } from './grams.ts';
import type { Damping, Draw, Grams } from './types.ts';

interface Rule {
  title: string;
  formula: string;
  /** @param size number of training samples, with their weights @param squares sum of their squared gradient norms */
  value(sample: { size: number; squares: number; parameters: number }, factor: number): number;
}

export const dampingRules: Record<DampingRule, Rule> = {
  // DataInf's own choice: a factor times the mean of all squared gradient entries, which is also the mean over all d
  // eigenvalues of F, the d - n zero ones included. It follows the size of each matrix's gradients.
  mean_square: {
    title: 'relative to the mean squared gradient entry',
    formula: 'λ = factor · trace(K) / (n d)',
    value: ({ size, squares, parameters }, factor) => (factor * squares) / (size * parameters),
  },
  absolute: {
    title: 'the same number for every weight matrix',
    formula: 'λ = factor',
    value: (_sample, factor) => factor,
  },
  // Mean over the eigenvalues of F that can differ from zero: F has rank at most min(n, d).
  mean_eigenvalue: {
    title: 'relative to the mean eigenvalue of the Fisher within its rank',
    formula: 'λ = factor · trace(K) / (n min(n, d))',
    value: ({ size, squares, parameters }, factor) => (factor * squares) / (size * Math.min(size, parameters)),
  },
};

/** Factors that a sweep goes through beside the one asked for. */
export const sweepFactors: readonly number[] = [0.001, 0.01, 0.1, 1, 10, 100, 1000];

/**
 * λ for one weight matrix, in squared units of the gradient.
 *
 * @param draw of a draw's training samples in place of all
 * @returns 0 only when every training gradient is zero (or so small that its square underflows) under a relative rule.
 * @throws LayerifError `badExperiment` for a factor that is not a positive number.
 */
export function dampingValue(grams: Grams, damping: Damping, draw?: Draw): number {
  const { n, parameters } = grams;
  const size = draw ? sizeOf(draw) : n;
  return dampingOf({ size, squares: trace(grams, draw?.train), parameters }, damping);
}

/** λ from the sum of the squared norms of `size` training gradients. @throws LayerifError as `dampingValue` */
export function dampingOf(
  sample: { size: number; squares: number; parameters: number },
  { rule, factor }: Damping,
): number {
  if (!(factor > 0 && Number.isFinite(factor))) {
    throw new LayerifError(
      'badExperiment',
      `damping factor ${factor} is not allowed: it must be a positive number, for example 0.1`,
    );
  }
  return dampingRules[rule].value(sample, factor);
}
