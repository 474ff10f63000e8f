/**
 * The words every influence estimator shares.
 *
 * One weight matrix at one checkpoint: G (n x d) holds the per-sample training gradients, V (m x d) the validation
 * gradients. Estimators never see G or V, only their inner products (`Grams`), and answer with B (n x m):
 *
 *     B[i][j] = + v_jᵀ H⁻¹ g_i        positive = training sample i helps validation sample j
 *
 * To add an estimator: write one file like `dot.ts`, add it to the table in `estimators.ts`, add its test vectors.
 */
import type { DampingRule, EstimatorId } from '../../../protocol/experiment.ts';

/** Inner products of the gradients of one weight matrix; every matrix row-major, float64. */
export interface Grams {
  /** Training samples. */
  n: number;
  /** Validation samples. */
  m: number;
  /** Weights in the matrix (d). */
  parameters: number;
  /** n x n, G Gᵀ. */
  K: Float64Array;
  /** n x m, G Vᵀ. */
  C: Float64Array;
  /** m, the diagonal of V Vᵀ. */
  diagV: Float64Array;
  /** What the engine computed for the estimator `ekfac`, where it was asked to. */
  ekfac?: Ekfac | undefined;
  /** C of every checkpoint, for the estimator `tracin`, where the run collected them. */
  checkpoints?: CheckpointProducts | undefined;
}

export interface CheckpointProducts {
  /** One per checkpoint. */
  learningRates: Float64Array;
  /** checkpoints x n x m. */
  C: Float64Array;
}

export interface Ekfac {
  /** Mean of the corrected eigenvalues. */
  meanEigenvalue: number;
  /** λ of each B. */
  dampings: Float64Array;
  /** dampings x n x m; positive = helps. */
  B: Float64Array;
}

export interface Damping {
  rule: DampingRule;
  factor: number;
}

export type RelatifForm = 'l' | 'theta';

export interface EstimatorOptions {
  damping: Damping;
  /** What `relatif` divides by; default `l`. */
  relatif?: RelatifForm | undefined;
  /** Checked between rows of work; an abort throws its reason. */
  signal?: AbortSignal | undefined;
  /** Named in errors, e.g. "model.layers.3 self_attn.q_proj". */
  where?: string | undefined;
}

export interface Influence {
  /** n x m, row-major; positive = helps. All zero when `zeroGradient`. */
  B: Float64Array;
  /** The damping that was used, null for an estimator without one. */
  damping: number | null;
  /** Every training gradient of this matrix is zero, so its influence is zero by definition. */
  zeroGradient: boolean;
  /** Of an iterative estimator. */
  convergence?: Convergence | undefined;
}

export interface Convergence {
  iterations: number;
  /** |C - (F + λI) B| / |C| at the end, in the Frobenius norm. */
  residual: number;
  converged: boolean;
}

/**
 * Samples drawn again, as weights: how often each is there. Any number from 0; a half of the samples is a draw of ones
 * and zeros.
 */
export interface Draw {
  /** n, not all zero. */
  train: Float64Array;
  /** m. */
  validation: Float64Array;
}

/**
 * The sum over validation samples of an estimator that is linear in v = Σⱼ vⱼ and takes of the other training samples
 * one weighted sum of their gradients:
 *
 *     Σⱼ B[i][j] = < gᵢ, v − Σₖ wₖ gₖ > / λ
 */
export interface SumsForm {
  /** w of a training sample from < g, v > and |g|²; null: there is no such sum, and λ is 1. */
  weight: ((sample: { product: number; square: number; lambda: number; n: number }) => number) | null;
}

export interface Estimator {
  id: EstimatorId;
  title: string;
  /** Paper or origin. */
  source: string;
  /** B in one line. */
  formula: string;
  /** What it reads of the Grams. */
  needs: readonly ('K' | 'C' | 'diagV' | 'parameters' | 'ekfac' | 'checkpoints')[];
  /** Fewest training samples for which the numbers mean anything. */
  minimumTrain: number;
  /**
   * @throws LayerifError `failed`: Grams of the wrong size or not finite, damping that cannot work, a singular system.
   */
  influence(grams: Grams, options: EstimatorOptions): Influence;
  /**
   * Whether the influence of a pair depends on the other training samples, through F: `none` when it does not,
   * `resampled` when `resampled` computes it for other weights of the training samples, `fixed` when that would need
   * the gradients again.
   */
  curvature: 'none' | 'resampled' | 'fixed';
  /**
   * With `curvature: resampled`: the n influences B v, summed over the draw's validation samples, one array per draw,
   * with F, n and λ of the draw. Samples that are not in the draw get a number without meaning.
   */
  resampled?(grams: Grams, draws: readonly Draw[], options: EstimatorOptions): Float64Array[];
  /** Of an estimator that needs no inner products of pairs for the influence of all validation samples together. */
  sums?: SumsForm;
  /** Multiplications of one draw and one weight matrix, beside reading the Grams. */
  resamplingCost?: (n: number) => number;
}
