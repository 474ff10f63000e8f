/**
 * The two sweeps over the chain embedding -> blocks -> head. Forward keeps the activation at every segment boundary;
 * backward goes from the head down, one segment at a time, all batches through a segment before the next, so that a
 * segment's weights are needed once. Whatever is computed from gradients is a reader of the captures that the backward
 * sweep hands over.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Activations } from './activations.ts';
import { statesAt } from './batch.ts';
import type { Batch } from './batch.ts';
import { kinds, openSegment, upward } from './chain.ts';
import type { Segment } from './chain.ts';
import { embedGraph, forwardGraph, gradientGraph, headGraph } from './graphs.ts';
import type { Model } from './model.ts';
import { projectedSize } from './projection.ts';
import type { Projection } from './projection.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from './captures.ts';

/**
 * Runs every batch up to the input of segment `upTo`, keeping the inputs of segments 0..`upTo`.
 * @param store where boundaries live; in memory when it is left out
 * @returns per kept boundary, per batch: activation [B, T, hidden]
 */
export async function forward<A extends Activations = Tensor[]>(
  model: Model,
  batches: Batch[],
  segments: Segment[],
  upTo: number,
  onRun: (batch: Batch, blocks: number) => void,
  store: Store<A> = inMemory as unknown as Store<A>,
): Promise<A[]> {
  const embed = await model.session('embed', () => embedGraph(model.architecture));
  let first = store.make();
  const feeds = model.weights.feeds(embed.built.weights, []);
  for (const batch of batches) {
    const known = batch.twin ? batches.indexOf(batch.twin) : -1;
    first.push(known >= 0 ? first.at(known)! : (await embed.session.run({ tokens: batch.tokens, ...feeds })).x);
    onRun(batch, 0);
  }
  // Blocks below the first segment have no scored layer: they run one by one and their inputs are not kept.
  const below = Array.from({ length: segments[0]?.[0] ?? 0 }, (_, layer) => [layer]);
  const step = (layers: Segment, inputs: A) => through(model, batches, inputs, layers, onRun, store.make());
  for await (const { before, after } of upward(below, first, step)) {
    store.release(before);
    first = after!;
  }
  const boundaries = [first];
  for await (const { after } of upward(segments.slice(0, upTo), first, step)) boundaries.push(after!);
  return boundaries;
}

/** Makes activations and is told when nobody reads them any more. */
interface Store<A extends Activations> {
  make(): A;
  release(activations: A): void;
}

const inMemory: Store<Tensor[]> = { make: () => [], release: () => undefined };

/**
 * Every batch through the blocks of one segment, with the weights as they are now.
 * @param inputs per batch [B, T, hidden]
 * @param outputs where the outputs go, in the same order
 */
export async function through<A extends Activations>(
  model: Model,
  batches: Batch[],
  inputs: Activations,
  layers: Segment,
  onRun: (batch: Batch, blocks: number) => void,
  outputs: A,
): Promise<A> {
  const { architecture } = model;
  const segment = await openSegment(model, `forward ${kinds(architecture, layers)}`, layers, () =>
    forwardGraph(architecture, layers),
  );
  for (const [i, batch] of batches.entries()) {
    const known = batch.twin ? batches.indexOf(batch.twin) : -1;
    outputs.push(known >= 0 ? outputs.at(known)! : (await segment.run(batch, { x: inputs.at(i)! })).y);
    onRun(batch, layers.length);
  }
  return outputs;
}

/**
 * Losses and the cotangent of the last hidden state, only for counted positions, `rowsPerRun` at a time.
 * @returns per batch: mean loss in nats per sample, and dy [B, T, hidden] of the summed sample losses
 */
export async function head(
  model: Model,
  batches: Batch[],
  hidden: Activations,
  rowsPerRun: number,
  onRun: (rows: number) => void,
): Promise<{ loss: Float64Array; dy: Tensor }[]> {
  const width = model.architecture.hidden;
  const { built, session } = await model.session('head', () => headGraph(model.architecture, true));
  const feeds = model.weights.feeds(built.weights, []);
  const results: { loss: Float64Array; dy: Tensor }[] = [];
  for (const [i, batch] of batches.entries()) {
    const { position, label, weight, row } = batch.counted;
    const { data, dims } = hidden.at(i)!;
    const states = data as Float32Array;
    const dy = new Float32Array(states.length);
    const loss = new Float64Array(batch.samples.length);
    for (let start = 0; start < position.length; start += rowsPerRun) {
      const end = Math.min(start + rowsPerRun, position.length);
      const x = statesAt(states, position.subarray(start, end), width);
      const out = await session.run({
        x: floats(x, [end - start, width]),
        labels: integers(BigInt64Array.from(label.subarray(start, end), BigInt), [end - start]),
        weight: floats(weight.subarray(start, end), [end - start]),
        ...feeds,
      });
      const nll = numbers(out.nll);
      const dx = numbers(out.dx);
      for (let p = start; p < end; p++) {
        loss[row[p]] += nll[p - start] / countOf(batch, row[p]);
        dy.set(dx.subarray((p - start) * width, (p - start + 1) * width), position[p] * width);
      }
      onRun(end - start);
    }
    results.push({ loss, dy: floats(dy, dims) });
  }
  return results;
}

export interface BackwardOptions<A extends Activations> {
  /** Of the captures; exact ones without. */
  projection?: Projection | null;
  /** Where the cotangents of the inputs go. */
  dx?: A;
}

/**
 * Backward through one segment.
 * @returns captures per scored module, and dx per batch (null at the lowest segment, where nobody needs it)
 */
export async function backwardSegment<A extends Activations = Tensor[]>(
  model: Model,
  batches: Batch[],
  layers: Segment,
  inputs: Activations,
  cotangents: Activations,
  scored: (layer: number, module: string) => boolean,
  wantInput: boolean,
  onRun: (batch: Batch, blocks: number) => void,
  { projection = null, dx = [] as Tensor[] as Activations as A }: BackwardOptions<A> = {},
): Promise<{ captures: ModuleCaptures[]; dx: A | null }> {
  const chosen = layers.map((layer) =>
    model.architecture
      .modules(layer)
      .map((m) => (scored(layer, m.name) ? '1' : '0'))
      .join(''),
  );
  const rank = projection?.rank ?? null;
  const key = `gradient ${kinds(model.architecture, layers)} ${chosen.join(' ')} ${wantInput} ${rank}`;
  const { built, run } = await openSegment(model, key, layers, () =>
    gradientGraph(model.architecture, layers, scored, wantInput, rank),
  );
  const projections = projection?.feeds(built.projections, layers);
  const size = (whole: number) => (rank === null ? whole : projectedSize(rank, whole));
  const captures: ModuleCaptures[] = built.captures.map(({ block, module }) => {
    const { rows, columns } = model.architecture.modules(layers[block]).find((m) => m.name === module)!;
    return { layer: layers[block], module, rows: size(rows), columns: size(columns), batches: [] };
  });
  for (const [i, batch] of batches.entries()) {
    const given = { x: inputs.at(i)!, dy: cotangents.at(i)! };
    const values: Record<string, Tensor> = {
      ...given,
      ...(await run(batch, { ...given, ...projections })),
    };
    const known = batch.twin ? batches.indexOf(batch.twin) : -1;
    built.captures.forEach((c, k) => {
      const x = known >= 0 ? captures[k].batches[known].x : values[c.x];
      captures[k].batches.push({ batch, x, y: values[c.y] });
    });
    if (built.dx) dx.push(values[built.dx]);
    onRun(batch, layers.length);
  }
  return { captures, dx: wantInput ? dx : null };
}

const counts = new WeakMap<Batch, Int32Array>();

/** Counted positions of a row. */
function countOf(batch: Batch, row: number): number {
  let count = counts.get(batch);
  if (!count) {
    count = new Int32Array(batch.samples.length);
    for (const r of batch.counted.row) count[r]++;
    counts.set(batch, count);
  }
  return count[row];
}

/**
 * @param model its file or folder
 * @throws LayerifError `badModel` when a loss is not a number: the weights or the arithmetic are broken
 */
export function requireFinite(losses: Float64Array, what: string, model: string): void {
  const bad = losses.findIndex((loss) => !Number.isFinite(loss));
  if (bad >= 0) {
    throw new LayerifError(
      'badModel',
      `${model}: the loss of ${what} sample ${bad} is ${losses[bad]}; the model overflows in float32 or its weights are damaged`,
    );
  }
}
