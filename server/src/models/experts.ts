/**
 * A mixture of experts in place of the MLP: a router scores the experts of every token, the best few are run and added
 * with their probabilities as weights (Shazeer et al. 2017, arXiv 1701.06538; Fedus et al. 2021, arXiv 2101.03961).
 *
 * All experts run on all tokens and the weight is 0 where a token is not routed: shapes stay fixed, and the cotangents
 * captured there are exact zeros. This costs `count / chosen` times a sparse run. The choice itself has no gradient,
 * the weights have.
 */
import type { Value } from '../onnx/graph.ts';
import type { Activation } from './activations.ts';
import type { SegmentBuilder } from './segment.ts';
import type { LinearModule, Weights } from './types.ts';
import { take } from '../lists/take.ts';

const LOWEST = -3.4028234663852886e38;

export interface Mixture {
  /** Module of the router, and what stands before an expert's number. */
  router: string;
  experts: string;
  /** Names below an expert: activated, multiplied with it, back to the model's width. */
  gate: string;
  up: string;
  down: string;
  count: number;
  /** Experts per token. */
  chosen: number;
  hidden: number;
  inner: number;
  /** Whether the weights of the chosen experts are divided by their sum. */
  normalised: boolean;
  activation: Activation;
}

export function mixtureModules(m: Mixture): LinearModule[] {
  const experts = Array.from({ length: m.count }, (_, e) => [
    { name: `${m.experts}.${e}.${m.gate}`, rows: m.inner, columns: m.hidden },
    { name: `${m.experts}.${e}.${m.up}`, rows: m.inner, columns: m.hidden },
    { name: `${m.experts}.${e}.${m.down}`, rows: m.hidden, columns: m.inner },
  ]);
  return [{ name: m.router, rows: m.count, columns: m.hidden }, ...experts.flat()];
}

/** [B, T, hidden] -> [B, T, hidden] */
export function mixture(b: SegmentBuilder, x: Value, m: Mixture): Value {
  const g = b.graph;
  const weights = g.split(routing(b, x, m), new Array<number>(m.count).fill(1), 2);
  const outputs = weights.map((weight, e) => g.mul(expert(b, x, `${m.experts}.${e}`, m), weight));
  return outputs.reduce((sum, output) => g.add(sum, output));
}

/** down(activation(gate(x)) * up(x)) with the modules below `name` */
export function expert(b: SegmentBuilder, x: Value, name: string, m: Mixture): Value {
  const gate = m.activation(b.graph, b.linear(`${name}.${m.gate}`, x, m.inner));
  const up = b.linear(`${name}.${m.up}`, x, m.inner);
  return b.linear(`${name}.${m.down}`, b.graph.mul(gate, up), m.hidden);
}

/** Weight of every expert for every token, 0 where it is not chosen: [B, T, count] */
function routing(b: SegmentBuilder, x: Value, m: Mixture): Value {
  const g = b.graph;
  const logits = b.linear(m.router, x, m.count);
  const [best, places] = take(g.node('TopK', [logits, g.ints([m.chosen])], { axis: -1 }, 2), 2);
  const mask = g.scatterElements(g.zerosLike(logits), places, g.onesLike(best), 2);
  // Probabilities divided by their sum over the chosen experts are a softmax over these alone.
  return m.normalised ? g.softmax(g.where(g.greater(mask, 0), logits, LOWEST), -1) : g.mul(g.softmax(logits, -1), mask);
}

/**
 * @param layer name of a layer with experts
 * @throws Error for counts that do not fit, and for files that hold all experts of a layer in one tensor
 */
export function requireSeparateExperts(m: Mixture, weights: Weights, layer: string): void {
  if (m.chosen > m.count) {
    throw new Error(`config.json: num_experts_per_tok is ${m.chosen}, but a layer has ${m.count} experts`);
  }
  const fused = `${layer}.mlp.experts.gate_up_proj`;
  const separate = `${layer}.${m.experts}.0.${m.gate}.weight`;
  if (weights.has(fused) && !weights.has(separate)) {
    throw new Error(
      `tensor ${fused} holds all experts of a layer; only one matrix per expert (${separate}) is supported: save the model again with save_pretrained(..., save_original_format=True)`,
    );
  }
}
