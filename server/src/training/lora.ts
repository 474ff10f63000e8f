/**
 * New LoRA factors (Hu et al. 2021, arXiv 2106.09685): y = x Wᵀ + (α / r) (x Aᵀ) Bᵀ with A [r, in] and B [out, r]. A is
 * drawn as PEFT draws it, Kaiming-uniform with a = √5, which is uniform in ±1/√in; B is zero, so an untrained adapter
 * changes nothing.
 */
import { Random } from '../random/random.ts';
import type { Parameters } from './parameters.ts';

export interface LoraShape {
  /** Full name of the module, such as `model.layers.0.self_attn.q_proj`. */
  module: string;
  rows: number;
  columns: number;
  rank: number;
}

/** Names of the factors' weights as the engine's graphs and checkpoints with an adapter call them. */
export function factorNames(module: string): { A: string; B: string } {
  return { A: `${module}.lora_A.weight`, B: `${module}.lora_B.weight` };
}

/** Each module has a random stream of its own, so its factor does not depend on which others are trained. */
export function initialFactors(shapes: readonly LoraShape[], seed: number): Parameters {
  const parameters: Parameters = new Map();
  for (const { module, rows, columns, rank } of shapes) {
    const random = new Random(seed, `lora ${module}`);
    const bound = 1 / Math.sqrt(columns);
    const { A, B } = factorNames(module);
    parameters.set(
      A,
      Float64Array.from({ length: rank * columns }, () => bound * (2 * random.uniform() - 1)),
    );
    parameters.set(B, new Float64Array(rows * rank));
  }
  return parameters;
}
