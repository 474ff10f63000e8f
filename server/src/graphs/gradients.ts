/**
 * The gradient graph of a specialised graph: the loss and, for every scored module, x [1, N, columns] and the cotangent
 * y [1, N, rows] from which the gradient of the sample follows as yᵀ x, as for every other model
 * (engine/sweep/sweep.ts).
 *
 * A convolution's x is its input unfolded: one row per output position with the C k k numbers under the kernel, which a
 * convolution with one-hot kernels gives. A convolution in groups has no such form (its rows see different inputs): its
 * gradient itself [rows, columns] stands for x, with the identity for y.
 */
import { backward } from '../autodiff/backward.ts';
import { kernelGradient } from '../autodiff/convolution.ts';
import { readerOf } from '../onnx/attributes.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import { appendLoss } from './loss.ts';
import type { GraphCapture, SpecialisedGraph } from './specialise.ts';
import type { GraphModule } from './types.ts';
import { nth } from '../lists/nth.ts';

/** Outputs of one scored module; several of its uses are rows of the same matrices. */
export interface CaptureNames {
  module: GraphModule;
  x: string;
  y: string;
  /** Rows N of x and y. */
  length: number;
}

export interface GraphWithGradient {
  graph: Graph;
  weights: ReadonlyMap<string, string>;
  captures: CaptureNames[];
}

/**
 * Appends loss and gradients. @param logits name of the output in the file
 * @param scored modules whose captures are wanted
 * @throws Error naming operator, node and layer where a rule is missing
 */
export function appendGradients(
  { graph: g, values, weights, captures: all }: SpecialisedGraph,
  logits: string,
  scored: ReadonlySet<GraphModule>,
): GraphWithGradient {
  const z = values.get(logits);
  if (!z) throw new Error(`output "${logits}" does not depend on the data`);
  const { nll, cotangent } = appendLoss(g, z);
  g.output(nll, 'nll');
  const wanted = all.filter(({ module }) => scored.has(module));
  const cotangents = backward(
    g,
    [{ of: z, cotangent }],
    wanted.map(({ y }) => y),
  );
  const byModule = new Map<GraphModule, { x: Value; y: Value }[]>();
  wanted.forEach((capture, i) => {
    // A use that the loss does not depend on has the gradient 0.
    const dy = cotangents[i] ?? g.zerosLike(capture.y);
    const pairs = byModule.get(capture.module) ?? [];
    byModule.set(capture.module, [...pairs, g.scope('captures', () => rowsOf(g, capture, dy))]);
  });
  const names = new Map<Value, string>();
  const output = (value: Value): string => {
    const known = names.get(value);
    if (known) return known;
    const name = `capture${names.size}`;
    names.set(value, name);
    g.output(value, name);
    return name;
  };
  const captures = [...byModule].map(([module, pairs]): CaptureNames => {
    const x =
      pairs.length === 1
        ? nth(pairs, 0).x
        : g.concat(
            pairs.map((pair) => pair.x),
            1,
          );
    const y =
      pairs.length === 1
        ? nth(pairs, 0).y
        : g.concat(
            pairs.map((pair) => pair.y),
            1,
          );
    return { module, x: output(x), y: output(y), length: x.shape[1] as number };
  });
  return { graph: g, weights, captures };
}

function rowsOf(g: Graph, capture: GraphCapture, dy: Value): { x: Value; y: Value } {
  const { module, node, x, left, alpha } = capture;
  if (node.op.endsWith('Conv')) return convolved(g, capture, dy);
  const scaled = alpha === 1 ? dy : g.mul(dy, alpha);
  const flat = (value: Value, width: number): Value =>
    g.reshape(left && value.shape.length > 1 ? g.swapLast(value) : value, [1, -1, width]);
  return { x: flat(x, module.columns), y: flat(scaled, module.rows) };
}

function convolved(g: Graph, { module, node, x }: GraphCapture, dy: Value): { x: Value; y: Value } {
  const read = readerOf(node);
  const { rows, columns, groups, kernel } = module;
  const channels = x.shape[1] as number;
  if (groups > 1) {
    const gradient = kernelGradient(g, x, dy, [rows, channels / groups, ...kernel], read);
    const identity = new Float32Array(rows * rows);
    for (let i = 0; i < rows; i++) identity[i * rows + i] = 1;
    // Not a constant output: ONNX Runtime would hand out the constant itself.
    const eye = g.add(g.initializer(`identity ${rows} ${g.nodes.length}`, 'float32', [1, rows, rows], identity), 0);
    return { x: g.reshape(gradient, [1, rows, columns]), y: eye };
  }
  const size = kernel.reduce((a, b) => a * b, 1);
  const last = x.shape.length - 1;
  const taps = new Float32Array(channels * size * size);
  for (let c = 0; c < channels; c++) for (let k = 0; k < size; k++) taps[(c * size + k) * size + k] = 1;
  const picks = g.initializer(`picks ${g.nodes.length}`, 'float32', [channels * size, 1, ...kernel], taps);
  const names = ['strides', 'pads', 'dilations', 'auto_pad'] as const;
  const attributes = Object.fromEntries(
    names.flatMap((name) => (node.attributes[name] ? [[name, node.attributes[name]]] : [])),
  );
  const [unfolded] = g.node('Conv', [x, picks], { ...attributes, group: channels });
  const rowsLast = (value: Value): Value =>
    g.transpose(value, [0, ...Array.from({ length: last - 1 }, (_, i) => i + 2), 1]);
  return {
    x: g.reshape(rowsLast(unfolded), [1, -1, columns]),
    y: g.reshape(rowsLast(dy), [1, -1, rows]),
  };
}
