/**
 * How large the damping λ in (F + λ I)⁻¹ is, F = GᵀG / n being the empirical Fisher of one weight matrix.
 *
 * One row per rule. A new rule is a new row and a new word in `DampingRule`.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { DampingRule } from '../../../protocol/experiment.ts';
import { trace } from './grams.ts';
import type { Damping, Grams } from './types.ts';

interface Rule {
  title: string;
  formula: string;
  value(grams: Grams, factor: number): number;
}

export const dampingRules: Record<DampingRule, Rule> = {
  // DataInf's own choice: a factor times the mean of all squared gradient entries, which is also the mean over all d
  // eigenvalues of F, the d - n zero ones included. It follows the size of each matrix's gradients.
  mean_square: {
    title: 'relative to the mean squared gradient entry',
    formula: 'λ = factor · trace(K) / (n d)',
    value: (grams, factor) => (factor * trace(grams)) / (grams.n * grams.parameters),
  },
  absolute: {
    title: 'the same number for every weight matrix',
    formula: 'λ = factor',
    value: (_grams, factor) => factor,
  },
  // Mean over the eigenvalues of F that can differ from zero: F has rank at most min(n, d).
  mean_eigenvalue: {
    title: 'relative to the mean eigenvalue of the Fisher within its rank',
    formula: 'λ = factor · trace(K) / (n min(n, d))',
    value: (grams, factor) => (factor * trace(grams)) / (grams.n * Math.min(grams.n, grams.parameters)),
  },
};

/**
 * λ for one weight matrix, in squared units of the gradient.
 *
 * @returns 0 only when every training gradient is zero (or so small that its square underflows) under a relative rule.
 * @throws LayerifError `badExperiment` for a factor that is not a positive number.
 */
export function dampingValue(grams: Grams, { rule, factor }: Damping): number {
  if (!(factor > 0 && Number.isFinite(factor))) {
    throw new LayerifError(
      'badExperiment',
      `damping factor ${factor} is not allowed: it must be a positive number, for example 0.1`,
    );
  }
  return dampingRules[rule].value(grams, factor);
}
