/**
 * Exact damped empirical Fisher, F = GᵀG / n, by the Woodbury identity:
 *
 *     B = G (F + λI)⁻¹ Vᵀ = 1/λ ( C − K (K + nλI)⁻¹ C ) = n (K + nλI)⁻¹ C
 *
 * The second form has no cancellation and needs one Cholesky factor of an n x n matrix. K itself is singular whenever two
 * training samples are alike; the damping repairs that unless it drowns in K's rounding, which the residual shows.
 */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { LayerifError } from '../../../protocol/errors.ts';
import { dampingValue } from './damping.ts';
import { checkGrams, isZero } from './grams.ts';
import type { Estimator } from './types.ts';

/** Largest relative residual |A X − nC| / |nC| that is accepted: about 1e10 of condition number in float64. */
const residualLimit = 1e-6;

export const fisher: Estimator = {
  id: 'fisher',
  title: 'Exact damped Fisher',
  source: 'Koh & Liang, ICML 2017, arXiv 1703.04730, with the empirical Fisher as Hessian; Woodbury identity',
  formula: 'B = n (K + n lambda I)^-1 C',
  needs: ['K', 'C', 'parameters'],
  minimumTrain: 1,

  influence(grams, { damping, signal, where = 'this weight matrix' }) {
    checkGrams(grams, where);
    const { n, m, K, C } = grams;
    const lambda = dampingValue(grams, damping);
    if (isZero(grams) || lambda === 0) return { B: new Float64Array(n * m), damping: lambda, zeroGradient: true };
    signal?.throwIfAborted();

    const system = new Matrix(n, n);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k <= i; k++) {
        // float32 products may leave K a rounding error away from symmetric; Cholesky asks for exactly symmetric.
        const value = (K[i * n + k] + K[k * n + i]) / 2 + (i === k ? n * lambda : 0);
        system.set(i, k, value);
        system.set(k, i, value);
      }
    }
    const right = Matrix.from1DArray(n, m, C).mul(n);
    const cholesky = new CholeskyDecomposition(system);
    const solution = cholesky.isPositiveDefinite() ? cholesky.solve(right) : null;
    const residual = solution === null ? Infinity : relativeResidual(system, solution, right);
    if (solution === null || !(residual <= residualLimit)) {
      throw new LayerifError(
        'failed',
        `the Fisher of ${where} cannot be inverted with damping ${lambda.toExponential(2)} (residual ${residual.toExponential(1)}, allowed ${residualLimit}): ` +
          'training gradients are linearly dependent (duplicate samples?); raise the damping factor or use estimator datainf',
      );
    }
    return { B: Float64Array.from(solution.to1DArray()), damping: lambda, zeroGradient: false };
  },
};

/** |A X − B| / |B| in the Frobenius norm; 0 when B is zero, since then X is zero too. */
function relativeResidual(A: Matrix, X: Matrix, B: Matrix): number {
  const size = B.norm('frobenius');
  return size === 0 ? 0 : A.mmul(X).sub(B).norm('frobenius') / size;
}
