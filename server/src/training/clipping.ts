/** Gradient clipping by the global norm (Pascanu et al. 2013, arXiv 1211.5063), as torch.nn.utils.clip_grad_norm_. */
import { globalNorm } from './parameters.ts';
import type { Parameters } from './parameters.ts';

/** Scales `gradients` in place so that their global norm is at most `limit`. @returns the norm before */
export function clipByNorm(gradients: Parameters, limit: number): number {
  const norm = globalNorm(gradients);
  const factor = Math.min(1, limit / (norm + 1e-6));
  if (factor < 1) for (const g of gradients.values()) for (let i = 0; i < g.length; i++) g[i] *= factor;
  return norm;
}
