/**
 * LoRA experts on linear modules, as MoLA has them (Gao et al. 2024, arXiv 2402.08562):
 *
 *   p = softmax(R x) over all experts,   w = the chosen largest p, divided by their sum
 *   y = W x + Σ wₑ (α / r) Bₑ Aₑ x over the chosen experts e
 *
 * R [experts, in] is a router of the module's own, without bias; A [experts · r, in] and B [out, experts · r] hold all
 * experts side by side, so that two products serve them all: the weights stand between, zero where a token is not
 * routed. Only as many numbers are made as `experts · r`, which costs less than gathering tokens by expert while that
 * is small against the module. The choice itself has no gradient, the weights have.
 */
import type { Value } from '../onnx/graph.ts';
import type { SegmentBuilder } from './segment.ts';
import type { Architecture } from './types.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

export interface LoraExperts {
  count: number;
  /** Experts per token, at most `count`. */
  chosen: number;
  rank: number;
  /** α / r */
  scale: number;
}

/** Names of a module's weights below its layer. */
export function expertNames(module: string): { router: string; A: string; B: string } {
  const below = `${module}.experts`;
  return { router: `${below}.router.weight`, A: `${below}.lora_A.weight`, B: `${below}.lora_B.weight` };
}

/**
 * @param layers experts of each layer, null where it has none
 * @param modules names below a layer that have experts
 * @throws Error for counts that do not fit
 */
export function withExperts(
  base: Architecture,
  layers: readonly (LoraExperts | null)[],
  modules: ReadonlySet<string>,
): Architecture {
  if (layers.length !== base.layers) throw new Error(`experts of ${layers.length} layers for ${base.layers}`);
  for (const [layer, experts] of layers.entries()) {
    if (experts && !(experts.chosen >= 1 && experts.chosen <= experts.count)) {
      throw new Error(`layer ${layer}: ${experts.chosen} of ${experts.count} experts per token`);
    }
  }
  return {
    ...base,
    kind: (layer) => `${base.kind(layer)} ${signature(nth(layers, layer), modules)}`,
    block: (b, x, layer) => {
      const experts = layers[layer];
      if (!experts) return base.block(b, x, layer);
      return b.withTerm(
        (module, input, rows) => (modules.has(module) ? mixed(b, module, input, rows, experts) : null),
        () => base.block(b, x, layer),
      );
    },
  };
}

/** Layers whose graphs are the same have the same. */
function signature(experts: LoraExperts | null, modules: ReadonlySet<string>): string {
  if (!experts) return 'experts()';
  const { count, chosen, rank, scale } = experts;
  return `experts(${chosen} of ${count}, rank ${rank} scale ${scale}: ${[...modules].join(', ')})`;
}

/** Σ wₑ (α / r) Bₑ Aₑ x: [B, T, columns] -> [B, T, rows] */
function mixed(b: SegmentBuilder, module: string, x: Value, rows: number, experts: LoraExperts): Value {
  const g = b.graph;
  const { count, rank, scale } = experts;
  const [batch, length, columns] = take(x.shape, 3);
  const width = columns as number;
  const names = expertNames(module);
  const weights = routed(b, module, x, experts);
  const inner = g.matMul(x, g.transpose(b.weight(names.A, [count * rank, width]), [1, 0]));
  const apart = g.reshape(inner, [batch, length, count, rank]);
  const weighted = g.mul(apart, g.unsqueeze(g.mul(weights, g.scalar(scale)), [3]));
  const together = g.reshape(weighted, [batch, length, count * rank]);
  return g.matMul(together, g.transpose(b.weight(names.B, [rows, count * rank]), [1, 0]));
}

/** Weight of every expert for every token, 0 where it is not chosen: [B, T, count] */
function routed(b: SegmentBuilder, module: string, x: Value, { count, chosen }: LoraExperts): Value {
  const g = b.graph;
  const router = b.weight(expertNames(module).router, [count, x.shape[2] as number]);
  const probabilities = g.softmax(g.matMul(x, g.transpose(router, [1, 0])), -1);
  const [best, places] = take(g.node('TopK', [probabilities, g.ints([chosen])], { axis: -1 }, 2), 2);
  const assigned = g.scatterElements(g.zerosLike(probabilities), places, g.onesLike(best), 2);
  b.route({ module, chosen, probabilities, assigned });
  const kept = g.mul(probabilities, assigned);
  return g.div(kept, g.reduceSum(kept, [2]));
}
