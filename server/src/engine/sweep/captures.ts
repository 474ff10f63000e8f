/** What the backward sweep hands over for every scored matrix. */
import type { Tensor } from '../runtime/runtime.ts';
import type { Batch } from './batch.ts';

/**
 * One scored module's inputs and output cotangents for every batch: x [B, T, columns], y [B, T, rows]. Projected
 * captures (projection.ts) are those of a smaller matrix.
 */
export interface ModuleCaptures {
  layer: number;
  module: string;
  rows: number;
  columns: number;
  batches: { batch: Batch; x: Tensor; y: Tensor }[];
}
