/**
 * Blocks with LoRA experts: forward with the sums that the balance loss needs, and gradients of the experts with the
 * balance loss's own cotangents. `present` [B, T, 1] is 1 for tokens and 0 for padding, which counts in no sum.
 */
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { Value } from '../../onnx/graph.ts';
import { blocks, built } from '../sweep/graphs.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import { weightGradientGraph } from '../train/weightGradients.ts';
import type { WeightGradientGraph } from '../train/weightGradients.ts';

export interface RouterOutputs {
  block: number;
  module: string;
  /** Names of outputs [experts], sums over the tokens: assignments, and probabilities. */
  assigned: string;
  probability: string;
}

export interface ExpertsForwardGraph extends BuiltGraph {
  routers: RouterOutputs[];
}

/** x [B, T, hidden], present -> y [B, T, hidden], sums of every router. Without routers `present` is no input. */
export function expertsForwardGraph(architecture: Architecture, layers: number[]): ExpertsForwardGraph {
  const b = new SegmentBuilder(`experts ${layers.join(' ')}`);
  const g = b.graph;
  g.output(blocks(b, architecture, layers).y, 'y');
  const present = presentOf(b);
  const routers = b.routings.map(({ block, module, assigned, probabilities }) => {
    const name = `block${block}.${module}`;
    const sum = (value: Value, what: string): string => {
      const output = `${what}.${name}`;
      g.output(g.reduceSum(g.mul(value, present!), [0, 1], false), output);
      return output;
    };
    return { block, module, assigned: sum(assigned, 'assigned'), probability: sum(probabilities, 'probability') };
  });
  return { ...built(b), routers };
}

export interface ExpertsGradientGraph extends WeightGradientGraph {
  /** Inputs [experts]: the balance loss's cotangent of the probabilities of every token. */
  slopes: { block: number; module: string; input: string }[];
}

/** x, dy [B, T, hidden], present, slopes -> gradients of the trained weights, dx where asked for. */
export function expertsGradientGraph(
  architecture: Architecture,
  layers: number[],
  trained: (layer: number, tensor: string) => boolean,
  wantInput: boolean,
): ExpertsGradientGraph {
  const slopes: ExpertsGradientGraph['slopes'] = [];
  const graph = weightGradientGraph(architecture, layers, trained, wantInput, (b) => {
    const present = presentOf(b);
    return b.routings.map(({ block, module, probabilities }) => {
      const input = `slope.block${block}.${module}`;
      slopes.push({ block, module, input });
      const slope = b.graph.input(input, 'float32', [probabilities.shape[2]]);
      return { of: probabilities, cotangent: b.graph.mul(present!, slope) };
    });
  });
  return { ...graph, slopes };
}

function presentOf(b: SegmentBuilder): Value | null {
  return b.routings.length === 0 ? null : b.graph.input('present', 'float32', ['B', 'T', 1]);
}
