/**
 * The model without each of its layers, all at once: at layer l the whole model's state is also the state of the model
 * without l, which goes on from there. So a layer's weights are read once for all models, and L models without a layer
 * cost L (L - 1) / 2 runs of a layer and not L (L - 1). Models without a layer's attention or MLP alone start from the
 * same state.
 */
import { SegmentBuilder } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import { subBlockOf } from '../../scores/subBlocks.ts';
import type { SubBlock } from '../../scores/subBlocks.ts';
import type { Activations, ActivationStore } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { openSegment, upward } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import { blocks, built } from '../sweep/graphs.ts';
import type { BuiltGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { forward, through } from '../sweep/sweep.ts';

/** A model that goes through the layers: whole, or without a layer or a part of one. */
export interface Variant {
  without: 'nothing' | 'block' | SubBlock;
  layer: number;
}

export interface AblationPass {
  /** Layers that all models are without. */
  removed: ReadonlySet<number>;
  parts: boolean;
  /** Only the model without `removed` goes through, and none without one more layer. */
  alone?: boolean;
  store: ActivationStore;
  /** Layer to go on with, and the states of all models before it, in the order of `variants`. */
  start?: { layer: number; states: Activations[] } | undefined;
  /** @param states of all models behind the layer; kept by the pass */
  onLayer: (layer: number, states: readonly Activations[]) => void | Promise<void>;
}

/** The models there are behind layer `upTo`, in order. */
export function variants(upTo: number, { removed, parts }: Pick<AblationPass, 'removed' | 'parts'>): Variant[] {
  const kinds = parts ? (['block', 'attention', 'mlp'] as const) : (['block'] as const);
  const all: Variant[] = [{ without: 'nothing', layer: -1 }];
  for (let layer = 0; layer <= upTo; layer++) {
    if (!removed.has(layer)) all.push(...kinds.map((without) => ({ without, layer })));
  }
  return all;
}

/** @returns last states of every model, in the order of `variants`; the caller lets them go */
export async function throughAblations(model: Model, batches: Batch[], pass: AblationPass): Promise<Activations[]> {
  const { architecture } = model;
  const { store, removed, parts } = pass;
  let states = pass.start?.states ?? (await forward(model, batches, [], 0, () => undefined, store));
  const step = async ([layer]: Segment, before: Activations[]): Promise<Activations[]> => {
    // A removed layer runs nothing in which a cancel would be seen.
    model.runtime.signal?.throwIfAborted();
    if (removed.has(layer)) return before;
    const next: Activations[] = [];
    for (const [i, state] of before.entries()) {
      next.push(await through(model, batches, state, [layer], () => undefined, store.make()));
      if (i > 0 || pass.alone) store.release(state);
    }
    if (pass.alone) return next;
    // The state before the layer is that of the model without it.
    next.push(before[0]);
    if (parts) {
      for (const part of ['attention', 'mlp'] as const)
        next.push(await withoutPart(model, batches, before[0], layer, part, store));
    }
    return next;
  };
  const from = pass.start?.layer ?? 0;
  const layers = Array.from({ length: architecture.layers - from }, (_, i) => [from + i]);
  for await (const { layers: here, after } of upward(layers, states, step)) {
    states = after!;
    await pass.onLayer(here[0], states);
  }
  return states;
}

async function withoutPart(
  model: Model,
  batches: Batch[],
  inputs: Activations,
  layer: number,
  part: SubBlock,
  store: ActivationStore,
): Promise<Activations> {
  const { architecture } = model;
  const segment = await openSegment(model, `without ${part} ${architecture.kind(layer)}`, [layer], () =>
    partGraph(architecture, layer, part),
  );
  const outputs = store.make();
  for (const [i, batch] of batches.entries()) {
    outputs.push((await segment.run(batch, { x: inputs.at(i)! })).y);
  }
  return outputs;
}

/** x [B, T, hidden] -> y [B, T, hidden] through a block whose attention or MLP adds nothing */
function partGraph(architecture: Architecture, layer: number, part: SubBlock): BuiltGraph {
  const b = new SegmentBuilder(`without ${part} ${layer}`);
  const { y } = b.withSilent(
    (module) => subBlockOf(module) === part,
    () => blocks(b, architecture, [layer]),
  );
  b.graph.output(y, 'y');
  return built(b);
}
