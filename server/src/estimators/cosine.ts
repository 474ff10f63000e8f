/**
 * Cosine of the two gradients: the gradient dot product without the gradients' sizes, so that samples with large losses
 * do not dominate.
 *
 *     B_kj = C_kj / ( |g_k| |v_j| )
 */
import { checkGrams, isZero } from './grams.ts';
import type { Estimator } from './types.ts';

export const cosine: Estimator = {
  id: 'cosine',
  title: 'Gradient cosine',
  source: 'Charpiat et al., NeurIPS 2019; Hanawa et al., ICLR 2021, arXiv 2006.04528',
  formula: 'B = C_kj / sqrt(K_kk (V V^T)_jj)',
  needs: ['K', 'C', 'diagV'],
  minimumTrain: 1,
  curvature: 'none',

  influence(grams, { where }) {
    checkGrams(grams, where);
    const { n, m, K, C, diagV } = grams;
    const B = new Float64Array(n * m);
    for (let k = 0; k < n; k++) {
      for (let j = 0; j < m; j++) {
        // Roots first: the product of two squares may leave the range of float64. A zero gradient has no direction: 0.
        const sizes = Math.sqrt(K[k * n + k]) * Math.sqrt(diagV[j]);
        B[k * m + j] = sizes > 0 ? C[k * m + j] / sizes : 0;
      }
    }
    return { B, damping: null, zeroGradient: isZero(grams) };
  },
};
