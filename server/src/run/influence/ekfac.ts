/** What the estimator `ekfac` asks of the engine, and what that costs beside the Grams. */
import type { EkfacRequest } from '../../../../protocol/engine.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import { ekfacDamping } from '../../estimators/ekfac.ts';
import type { Estimator } from '../../estimators/types.ts';

/**
 * Widest side of a weight matrix whose EK-FAC is exact under `projection: auto`. An eigendecomposition takes 0.4
 * CPU-seconds at 512 and 10 to 20 at 1,536, for every distinct input and every output of a layer.
 */
export const EXACT_WIDTH = 512;
/** Seconds of a symmetric eigendecomposition over the cube of its width: 0.55 CPU-seconds for 576, in one thread. */
const EIGEN_SECONDS = 3e-9;

/** Undefined for the estimators that need Grams alone. */
export function ekfacRequest(estimator: Estimator, { score }: Experiment): EkfacRequest | undefined {
  if (!estimator.needs.includes('ekfac')) return undefined;
  return { fisher: score.fisher ?? 'true', seed: score.seed, damping: ekfacDamping(score.damping) };
}

export interface EkfacCost {
  /** Floating-point operations of the second backward sweep, with drawn labels, and of the products. */
  sweeps: number;
  gradients: number;
  products: number;
  /** Of the eigendecompositions. */
  seconds: number;
  /** Numbers that are stored. */
  stored: number;
}

export interface EkfacWork {
  trainTokens: number;
  tokens: number;
  train: number;
  validation: number;
  /** Operations that one token takes backward through all layers, and forward and backward through the head. */
  backward: number;
  head: number;
  /** Rows and columns of every scored matrix, projected where the run is; `input` tells matrices that read the same. */
  matrices: { layer: number; input: string; rows: number; columns: number }[];
}

export function ekfacCost({ fisher, damping }: EkfacRequest, w: EkfacWork): EkfacCost {
  const dampings = damping.factors.length;
  const drawn = fisher === 'true' ? w.trainTokens : 0;
  const cost: EkfacCost = { sweeps: drawn * (w.backward + w.head), gradients: 0, products: 0, seconds: 0, stored: 0 };
  const inputs = new Set<string>();
  for (const { layer, input, rows, columns } of w.matrices) {
    cost.gradients += 2 * (w.tokens + w.trainTokens) * rows * (columns + rows);
    cost.products += 2 * dampings * w.train * w.validation * rows * columns;
    cost.seconds += EIGEN_SECONDS * rows ** 3;
    cost.stored += dampings * (w.train * w.validation + 1) + 1;
    const key = `${layer} ${input}`;
    if (inputs.has(key)) continue;
    inputs.add(key);
    cost.gradients += 2 * (w.tokens + w.trainTokens) * columns ** 2;
    cost.seconds += EIGEN_SECONDS * columns ** 3;
  }
  return cost;
}
