/**
 * The one loop over the blocks: `upward` takes activations from segment to segment, `downward` cotangents from the head
 * to the lowest segment. Both finish a segment before the next, so that its weights are needed once. What is made of a
 * segment is the step's business: plain runs, sums of inputs, captures, weight gradients, routers. Whoever loops is
 * handed each segment when it is done, and lets go, saves or reports what is due; a `break` or an error ends the sweep.
 * A cancel is seen after every run of a session (runtime.ts).
 */
import type { WeightInput } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';
import { tablesFor } from './batch.ts';
import type { Batch } from './batch.ts';
import type { BuiltGraph } from './graphs.ts';
import type { Model } from './model.ts';

/** Consecutive layers that one graph holds. */
export type Segment = number[];

/** Consecutive layers from `lowest` to the last, `length` blocks each; all layers of a segment exist. */
export function segmentsOf(layers: number, lowest: number, length: number): Segment[] {
  const segments: Segment[] = [];
  for (let end = layers; end > lowest; end -= length) {
    const start = Math.max(lowest, end - length);
    segments.unshift(Array.from({ length: end - start }, (_, i) => start + i));
  }
  return segments;
}

/** Segments of one kind share a session. */
export function kinds(architecture: Architecture, layers: Segment): string {
  return layers.map((layer) => architecture.kind(layer)).join(' ');
}

/** Where a segment's weights come from: the model's own, or with trained ones in place of some. */
interface Weights {
  feeds(inputs: WeightInput[], layers: number[]): Feeds;
}

export interface OpenSegment<G extends BuiltGraph> {
  built: G;
  /** @param given what the graph takes beside weights and tables */
  run: (batch: Batch, given: Feeds) => Promise<Record<string, Tensor>>;
}

/**
 * A segment's graph, made once per key, with its weights as they are now.
 * @throws LayerifError `badModel` for weights that cannot be read
 */
export async function openSegment<G extends BuiltGraph>(
  model: Model,
  key: string,
  layers: Segment,
  build: () => G,
  weights: Weights = model.weights,
): Promise<OpenSegment<G>> {
  const { built, session } = await model.session(key, build);
  const feeds = weights.feeds(built.weights, layers);
  return { built, run: (batch, given) => session.run({ ...given, ...feeds, ...tablesFor(batch, built.tables) }) };
}

/**
 * @param inputs of the first segment
 * @param step makes a segment's outputs; null where nobody wants them, which ends the loop
 */
export async function* upward<A>(
  segments: Iterable<Segment>,
  inputs: A,
  step: (layers: Segment, before: A) => Promise<A | null>,
): AsyncGenerator<{ layers: Segment; before: A; after: A | null }> {
  let before = inputs;
  for (const layers of segments) {
    const after = await step(layers, before);
    yield { layers, before, after };
    if (after === null) return;
    before = after;
  }
}

/**
 * @param cotangents of the outputs of the last segment
 * @param step what is seen of a segment, and the cotangents of its inputs; nobody wants those of the lowest segment
 *   (`index` 0)
 */
export async function* downward<C, S>(
  segments: readonly Segment[],
  cotangents: C,
  step: (layers: Segment, cotangents: C, index: number) => Promise<{ seen: S; dx: C | null }>,
): AsyncGenerator<{ layers: Segment; index: number; cotangents: C; seen: S; dx: C | null }> {
  let above = cotangents;
  for (const [index, layers] of [...segments.entries()].reverse()) {
    const { seen, dx } = await step(layers, above, index);
    yield { layers, index, cotangents: above, seen, dx };
    if (dx !== null) above = dx;
  }
}
