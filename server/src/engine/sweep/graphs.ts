/**
 * The graphs of a model, built from its architecture: embedding, blocks forward, blocks with their vector-Jacobian
 * product, head with loss. Blocks are recomputed inside the gradient graph, so only boundary activations are kept
 * between sweeps.
 *
 * The gradient graph yields no weight gradients: for a linear module y = x Wᵀ the gradient of sample i is Yᵢᵀ Xᵢ with Y
 * the cotangent of y, so it hands out x and Y, and whoever reads the sweep forms what it needs from them
 * (docs/decisions/002-captured-activations.md).
 */
import { backward } from '../../autodiff/backward.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { ProjectionBuilder } from './projection.ts';
import type { ProjectionInput } from './projection.ts';
import { headRows } from '../../models/head.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { WeightInput } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';

export interface BuiltGraph {
  graph: Graph;
  weights: WeightInput[];
  tables: string[];
}

/**
 * Values of the gradient graph that belong to one scored module, outputs or its own inputs: x [B, T, columns] and y [B,
 * T, rows].
 */
export interface CaptureOutputs {
  block: number;
  module: string;
  x: string;
  y: string;
}

export interface GradientGraph extends BuiltGraph {
  captures: CaptureOutputs[];
  /** Matrices that the captures are projected with; none for exact ones. */
  projections: ProjectionInput[];
  /** Name of the output that holds the cotangent of the segment's input, or null. */
  dx: string | null;
}

/** tokens [B, T] -> x [B, T, hidden] */
export function embedGraph(architecture: Architecture): BuiltGraph {
  const b = new SegmentBuilder('embed');
  b.graph.output(architecture.embed(b, b.graph.input('tokens', 'int64', ['B', 'T'])), 'x');
  return built(b);
}

/** x [B, T, hidden] -> y [B, T, hidden] through the blocks `layers` */
export function forwardGraph(architecture: Architecture, layers: number[]): BuiltGraph {
  const b = new SegmentBuilder(`forward ${layers.join(' ')}`);
  b.graph.output(blocks(b, architecture, layers).y, 'y');
  return built(b);
}

/**
 * x, dy [B, T, hidden] -> dx (where asked for) and the captures of the scored modules.
 * @param scored whether a module of a layer is captured
 * @param rank of the captures' projection (projection.ts), or null for exact ones
 */
export function gradientGraph(
  architecture: Architecture,
  layers: number[],
  scored: (layer: number, module: string) => boolean,
  wantInput: boolean,
  rank: number | null = null,
): GradientGraph {
  const b = new SegmentBuilder(`gradient ${layers.join(' ')}`);
  const g = b.graph;
  const { x, y } = blocks(b, architecture, layers);
  const dy = g.input('dy', 'float32', ['B', 'T', architecture.hidden]);
  const wanted = b.captures.filter((c) => scored(layers[c.block], c.module));
  const cotangents = backward(g, [{ of: y, cotangent: dy }], [x, ...wanted.map((c) => c.output)]);
  // Outputs keep the names of their values, for another name would cost a copy; an input (dy itself) is no output at
  // all.
  const named = new Set(g.inputs);
  const output = (value: Value): string => {
    if (!named.has(value)) g.output(value, value.name);
    named.add(value);
    return value.name;
  };
  const dx = wantInput ? output(cotangents[0]!) : null;

  const projection = rank === null ? null : new ProjectionBuilder(g, b.captures, rank);
  const captures = wanted.map((capture, i) => {
    const { block, module, input } = capture;
    const cotangent = cotangents[1 + i]!;
    const x = output(projection ? projection.input(capture) : input);
    return { block, module, x, y: output(projection ? projection.output(capture, cotangent) : cotangent) };
  });
  return { ...built(b), captures, projections: projection?.inputs ?? [], dx };
}

/**
 * Rows of the last hidden state to losses: x [P, hidden], labels [P], weight [P] -> nll [P] in nats and dx [P, hidden],
 * the gradient of sum(weight * nll). Without `wantGradient` the weights are not an input and dx is not an output.
 *
 *   e = exp(z - max z),   nll = log Σ e - (z_label - max z),   dz = weight / Σ e * (e - Σ e onehot(label))
 *
 * The sum over the vocabulary is a product with ones: a matrix product adds in many lanes, a plain float32 sum over
 * 50,000 terms was the largest error of all gradients (five times larger, measured on SmolLM2-135M).
 */
export function headGraph(architecture: Architecture, wantGradient: boolean): BuiltGraph {
  const b = new SegmentBuilder('head');
  const g = b.graph;
  const size = headRows(architecture);
  const x = g.input('x', 'float32', ['P', architecture.hidden]);
  const labels = g.unsqueeze(g.input('labels', 'int64', ['P']), [1]);
  const logits = architecture.head(b, x);
  const shifted = g.sub(logits, g.reduceMax(logits, [-1], true));
  const exponentials = g.exp(shifted);
  const total = g.matMul(exponentials, g.initializer('ones', 'float32', [size, 1], new Float32Array(size).fill(1)));
  g.output(g.squeeze(g.sub(g.log(total), g.gatherElements(shifted, labels, 1)), [1]), 'nll');
  if (wantGradient) {
    const weight = g.unsqueeze(g.input('weight', 'float32', ['P']), [1]);
    // A row of logits depends on its row of x only, so the row's factor weight / total waits until the rows are narrow.
    const dz = g.scatterElements(exponentials, labels, g.neg(total), 1, 'add');
    const dx = backward(g, [{ of: logits, cotangent: dz }], [x])[0]!;
    g.output(g.mul(dx, g.div(weight, total)), 'dx');
  }
  return built(b);
}

export function blocks(b: SegmentBuilder, architecture: Architecture, layers: number[]): { x: Value; y: Value } {
  const x = b.graph.input('x', 'float32', ['B', 'T', architecture.hidden]);
  let y = x;
  layers.forEach((layer, position) => {
    y = b.inBlock(position, architecture.layerName(layer), () => architecture.block(b, y, layer));
  });
  return { x, y };
}

export function built(b: SegmentBuilder): BuiltGraph {
  return { graph: b.graph, weights: b.weights, tables: [...b.tables] };
}
