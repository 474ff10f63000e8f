/** Passes with layers left out: what they hold at a time. */
import type { Json } from '../../../protocol/scores.ts';

/**
 * How many models go through the layers side by side at the end of an ablation: whole, and without each layer or part
 * of it.
 */
export function variantsOf(layers: number, { parts, sets }: Record<string, Json>): number {
  if (Array.isArray(sets)) return 1;
  return 1 + layers * (parts === true ? 3 : 1);
}
