/**
 * Blocks with the gradients of some of their weights: what training needs, where scoring needs captures (graphs.ts).
 * The gradients come from the same rule table, asked for at the weights' inputs; they are summed over the samples of a
 * run.
 */
import { backward } from '../../autodiff/backward.ts';
import type { Seed } from '../../autodiff/backward.ts';
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import { blocks, built } from '../sweep/graphs.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';

export interface WeightGradientGraph extends BuiltGraph {
  /** Output that holds the gradient of a weight of block number `block`, in the weight's shape. */
  gradients: { block: number; tensor: string; output: string }[];
  /** Name of the output that holds the cotangent of the segment's input, or null. */
  dx: string | null;
}

/**
 * x, dy [B, T, hidden] -> gradients of the trained weights, dx where asked for.
 * @param trained whether a tensor, named below its layer, is trained
 * @param further cotangents of values inside the blocks that a loss of their own depends on
 */
export function weightGradientGraph(
  architecture: Architecture,
  layers: number[],
  trained: (layer: number, tensor: string) => boolean,
  wantInput: boolean,
  further: (b: SegmentBuilder) => Seed[] = () => [],
): WeightGradientGraph {
  const b = new SegmentBuilder(`weight gradients ${layers.join(' ')}`);
  const g = b.graph;
  const { x, y } = blocks(b, architecture, layers);
  const dy = g.input('dy', 'float32', ['B', 'T', architecture.hidden]);
  const wanted = b.weights.flatMap(({ input, block, tensor }) =>
    block !== null && trained(layers[block], tensor)
      ? [{ block, tensor, value: g.inputs.find(({ name }) => name === input)! }]
      : [],
  );
  const wrt = [...wanted.map(({ value }) => value), ...(wantInput ? [x] : [])];
  const cotangents = backward(g, [{ of: y, cotangent: dy }, ...further(b)], wrt);
  const gradients = wanted.map(({ block, tensor, value }, i) => {
    const output = `gradient.${value.name}`;
    g.output(cotangents[i] ?? g.zerosLike(value), output);
    return { block, tensor, output };
  });
  if (wantInput) g.output(cotangents[wanted.length]!, 'dx');
  return { ...built(b), gradients, dx: wantInput ? 'dx' : null };
}
