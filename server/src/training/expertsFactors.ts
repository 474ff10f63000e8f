/**
 * New LoRA experts: a router and the factors A and B of every expert of every module, drawn as MoLA draws them (arXiv
 * 2402.08562). Router and A Kaiming-uniform with a = √5, which is uniform in ±1/√in; B is zero, so untrained experts
 * change nothing.
 */
import { Random } from '../random/random.ts';
import type { Parameters } from './parameters.ts';

/** A linear module with experts. */
export interface ExpertModule {
  layer: number;
  /** Full name, such as `model.layers.0.self_attn.q_proj`. */
  module: string;
  rows: number;
  columns: number;
  experts: number;
  rank: number;
  /** Full names of its weights: router [experts, columns], A [experts · rank, columns], B [rows, experts · rank]. */
  names: { router: string; A: string; B: string };
}

export function shapesOf(modules: readonly ExpertModule[]): Map<string, number[]> {
  return new Map(
    modules.flatMap(({ rows, columns, experts, rank, names }): [string, number[]][] => [
      [names.router, [experts, columns]],
      [names.A, [experts * rank, columns]],
      [names.B, [rows, experts * rank]],
    ]),
  );
}

/**
 * Every router row and every expert has a random stream of its own: with the same seed, the first experts of a module
 * are the same however many there are and whichever other modules have some.
 */
export function initialExperts(modules: readonly ExpertModule[], seed: number): Parameters {
  const parameters: Parameters = new Map();
  for (const { module, rows, columns, experts, rank, names } of modules) {
    const bound = 1 / Math.sqrt(columns);
    const router = new Float64Array(experts * columns);
    const A = new Float64Array(experts * rank * columns);
    for (let e = 0; e < experts; e++) {
      fill(router.subarray(e * columns, (e + 1) * columns), new Random(seed, `router ${module} ${e}`), bound);
      fill(A.subarray(e * rank * columns, (e + 1) * rank * columns), new Random(seed, `expert ${module} ${e}`), bound);
    }
    parameters.set(names.router, router);
    parameters.set(names.A, A);
    parameters.set(names.B, new Float64Array(rows * experts * rank));
  }
  return parameters;
}

function fill(into: Float64Array, random: Random, bound: number): void {
  for (let i = 0; i < into.length; i++) into[i] = bound * (2 * random.uniform() - 1);
}
