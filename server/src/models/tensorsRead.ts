/**
 * Which tensors of a checkpoint a model reads: what the graphs of its embedding, its layers and its head ask for.
 * Others (position numbers, causal masks, rotary frequencies, the head of a reward model) lie in the files and belong
 * to no part of it.
 */
import { SegmentBuilder } from './segment.ts';
import type { Architecture } from './types.ts';

/** Shapes by the tensors' whole names. */
export type ReadShapes = ReadonlyMap<string, readonly number[]>;

const known = new WeakMap<Architecture, ReadShapes>();

/** Names of tensors, the layers' whole names included. */
export function tensorsRead(model: Architecture): ReadonlySet<string> {
  return new Set(shapesRead(model).keys());
}

/**
 * The same with the shapes that the graphs ask for: in forward order, of a layer the matrices first, which say more
 * than a norm.
 */
export function shapesRead(model: Architecture): ReadShapes {
  let shapes = known.get(model);
  if (!shapes) {
    shapes = collect(model);
    known.set(model, shapes);
  }
  return shapes;
}

function collect(model: Architecture): ReadShapes {
  const shapes = new Map<string, readonly number[]>();
  const outer = (build: (b: SegmentBuilder) => unknown): void => {
    const b = new SegmentBuilder('tensors read');
    build(b);
    for (const { tensor, shape } of read(b)) if (!shapes.has(tensor)) shapes.set(tensor, shape);
  };
  outer((b) => model.embed(b, b.graph.input('tokens', 'int64', ['B', 'T'])));
  const below = new Map<string, Read[]>();
  for (let layer = 0; layer < model.layers; layer++) {
    const kind = model.kind(layer);
    const tensors = below.get(kind) ?? tensorsOf(model, layer);
    below.set(kind, tensors);
    for (const { tensor, shape, block } of tensors)
      shapes.set(block === null ? tensor : `${model.layerName(layer)}.${tensor}`, shape);
  }
  outer((b) => model.head(b, b.graph.input('states', 'float32', ['P', model.hidden])));
  return shapes;
}

interface Read {
  tensor: string;
  /** Null for a tensor outside of the layers. */
  block: number | null;
  shape: readonly number[];
}

function tensorsOf(model: Architecture, layer: number): Read[] {
  const b = new SegmentBuilder('tensors read');
  const x = b.graph.input('x', 'float32', ['B', 'T', model.hidden]);
  b.inBlock(0, model.layerName(layer), () => model.block(b, x, layer));
  return read(b).sort((one, other) => other.shape.length - one.shape.length);
}

function read(b: SegmentBuilder): Read[] {
  const shapes = new Map(b.graph.inputs.map(({ name, shape }) => [name, shape.map(Number)]));
  return b.weights.map(({ input, tensor, block }) => ({ tensor, block, shape: shapes.get(input)! }));
}

/**
 * Last words of stored constants that code of other versions made and that say nothing which the configuration does
 * not.
 */
const wellKnown =
  /(?:^|\.)(?:position_ids|inv_freq|original_inv_freq|(?:attn|attention|self_attn)\.(?:bias|masked_bias)|cos_cached|sin_cached|causal_mask|num_batches_tracked)$/;

/** Whether a tensor that nothing reads is one of the constants that many files carry along. */
export function isWellKnownBuffer(tensor: string): boolean {
  return wellKnown.test(tensor);
}
