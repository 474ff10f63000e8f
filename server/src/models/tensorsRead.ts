/**
 * Which tensors of a checkpoint a model reads: what the graphs of its embedding, its layers and its head ask for. Others (position
 * numbers, causal masks, rotary frequencies, the head of a reward model) lie in the files and belong to no part of it.
 */
import { SegmentBuilder } from './segment.ts';
import type { Architecture } from './types.ts';

const known = new WeakMap<Architecture, ReadonlySet<string>>();

/** Names of tensors, the layers' whole names included. */
export function tensorsRead(model: Architecture): ReadonlySet<string> {
  let names = known.get(model);
  if (!names) {
    names = collect(model);
    known.set(model, names);
  }
  return names;
}

function collect(model: Architecture): Set<string> {
  const names = new Set<string>();
  const below = new Map<string, string[]>();
  const b = new SegmentBuilder('tensors read');
  model.embed(b, b.graph.input('tokens', 'int64', ['B', 'T']));
  model.head(b, b.graph.input('states', 'float32', ['P', model.hidden]));
  for (const { tensor } of b.weights) names.add(tensor);
  for (let layer = 0; layer < model.layers; layer++) {
    const kind = model.kind(layer);
    const tensors = below.get(kind) ?? tensorsOf(model, layer);
    below.set(kind, tensors);
    for (const tensor of tensors) names.add(`${model.layerName(layer)}.${tensor}`);
  }
  return names;
}

function tensorsOf(model: Architecture, layer: number): string[] {
  const b = new SegmentBuilder('tensors read');
  const x = b.graph.input('x', 'float32', ['B', 'T', model.hidden]);
  b.inBlock(0, model.layerName(layer), () => model.block(b, x, layer));
  return b.weights.filter(({ block }) => block !== null).map(({ tensor }) => tensor);
}

/** Last words of stored constants that code of other versions made and that say nothing which the configuration does not. */
const wellKnown =
  /(?:^|\.)(?:position_ids|inv_freq|original_inv_freq|(?:attn|attention|self_attn)\.(?:bias|masked_bias)|cos_cached|sin_cached|causal_mask|num_batches_tracked)$/;

/** Whether a tensor that nothing reads is one of the constants that many files carry along. */
export function isWellKnownBuffer(tensor: string): boolean {
  return wellKnown.test(tensor);
}
