/**
 * The self-check of gradients on a user's own model and samples.
 *
 *   composition   Grams of the samples' gradients: every sample alone, padded, all in a batch, in other batches
 *   derivative    (L(W + εU) − L(W − εU)) / 2ε against <∇L, U>, U the gradient's own direction or random signs, L the mean loss
 *   bfloat16      the same Grams with all weights rounded
 *
 * The loss is evaluated in float32, so a difference is only as good as its step: several are tried and the best one
 * counts.
 */
import type { Derivative, Difference, GradientCheckRequest, GradientMeasurements } from '../../../../protocol/check.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { makeBatches } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import { Directions } from './directions.ts';
import type { Try } from './directions.ts';
import { downward, segmentsOf, upward } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import { GramProducts } from '../grams/grams.ts';
import type { Model } from '../sweep/model.ts';
import { integers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import { backwardSegment, forward, head, through } from '../sweep/sweep.ts';

/** Counted positions per run of the head, numbers in a tile: the samples are few. */
const HEAD_ROWS = 64;
const TILE = 1 << 22;
/** Positions of padding beyond the longest sample. */
const EXTRA = 3;
/** Changes of the loss, in nats, that a step along the gradient aims at. */
const LOSS_STEPS = [0.003, 0.01, 0.03, 0.1];
/** Steps along a random direction, as shares of the norm of the weights. */
const RANDOM_STEPS = [0.0003, 0.001, 0.003, 0.01, 0.03];
/** Share of the weights' norm that a step along the gradient never exceeds. */
const LARGEST_STEP = 0.05;

interface Seen {
  loss: number[];
  /** Layer -> the Grams of its modules one after the other. */
  grams: Map<number, number[]>;
}

/** @throws LayerifError; the AbortSignal's reason when cancelled */
export async function checkGradients(
  model: Model,
  request: GradientCheckRequest,
  report: (done: number, total: number) => void,
): Promise<GradientMeasurements> {
  const { samples, layers } = request;
  const { architecture, weights } = model;
  weights.mode = request.weights;
  const total = 5 + layers.length;
  let done = 0;
  const step = () => report(++done, total);

  const all = samples.map((_, i) => i);
  const fixed = samples.some(({ tokens }) => architecture.lengthMatters(tokens.length));
  const together = (groups: number[][]) => groups.flatMap((group) => sameTables(model, samples, group));
  const batches = (groups: number[][]) => makeBatches(architecture, 'train', samples, together(groups));
  try {
    const captured: ModuleCaptures[] = [];
    const batch = batches([all]);
    const alone = await sweep(model, request, batches(all.map((i) => [i])));
    step();
    const batched = await sweep(model, request, batch, captured);
    step();
    const half = Math.ceil(all.length / 2);
    const regrouped = await sweep(model, request, batches([all.slice(half).reverse(), all.slice(0, half).reverse()]));
    step();
    const longest = Math.max(...samples.map(({ tokens }) => tokens.length)) + EXTRA;
    const padded = fixed
      ? null
      : await sweep(
          model,
          request,
          all.map((i) => paddedTo(model, samples, i, longest)),
        );
    step();
    const rounded = roundWeights(model) ? await sweep(model, request, batch) : null;
    weights.restore();
    step();

    const alongGradient: Derivative[] = [];
    const alongRandom: Derivative[] = [];
    const segments = segmentsOf(architecture.layers, 0, 1);
    const inputs = await forward(model, batch, segments, segments.length, () => undefined);
    for (const layer of layers) {
      const here = captured.filter((c) => c.layer === layer);
      const directions = await Directions.create(model, here, samples.length);
      const loss = (): Promise<number> => meanLoss(model, batch, inputs[layer], layer);
      alongGradient.push(await best(directions.alongGradient(LOSS_STEPS, LARGEST_STEP), layer, loss));
      alongRandom.push(await best(directions.random(request.seed, RANDOM_STEPS), layer, loss));
      step();
    }
    return {
      padded: padded && difference(padded, alone),
      batched: together([all]).length === all.length ? null : difference(batched, alone),
      regrouped: difference(regrouped, batched),
      alongGradient,
      alongRandom,
      bfloat16: rounded && difference(rounded, batched),
      dtypes: storedTypes(model, request),
    };
  } finally {
    weights.restore();
  }
}

/** Losses and Grams of the chosen layers. @param keep gets the captures */
async function sweep(
  model: Model,
  { samples, layers, modules }: GradientCheckRequest,
  batches: Batch[],
  keep?: ModuleCaptures[],
): Promise<Seen> {
  const segments = segmentsOf(model.architecture.layers, layers[0], 1);
  const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
  const ends = await head(model, batches, boundaries.pop()!, HEAD_ROWS, () => undefined);
  const loss: number[] = [];
  batches.forEach((batch, b) => batch.samples.forEach((sample, row) => (loss[sample] = ends[b].loss[row])));
  const products = await GramProducts.create(model.runtime);
  const grams = new Map<number, number[]>();
  const scored = (layer: number, module: string) => layers.includes(layer) && modules.includes(module);
  const step = async (segment: Segment, cotangents: Tensor[], index: number) => {
    const inputs = boundaries.pop()!;
    const nothing = () => undefined;
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      segment,
      inputs,
      cotangents,
      scored,
      index > 0,
      nothing,
    );
    return { seen: captures, dx };
  };
  const tops = ends.map(({ dy }) => dy);
  for await (const { seen } of downward(segments, tops, step)) {
    for (const capture of seen) {
      keep?.push({ ...capture, batches: [...capture.batches] });
      const { K } = await products.of(capture, samples.length, 0, TILE);
      grams.set(capture.layer, [...(grams.get(capture.layer) ?? []), ...K]);
    }
  }
  await products.release();
  return { loss, grams };
}

/** Mean of the samples' losses with the weights as they are now, from the input of `layer` on. */
async function meanLoss(model: Model, batches: Batch[], inputs: Tensor[], from: number): Promise<number> {
  let last = inputs;
  const step = (layers: Segment, before: Tensor[]) =>
    through(model, batches, before, layers, () => undefined, [] as Tensor[]);
  for await (const { after } of upward(segmentsOf(model.architecture.layers, from, 1), inputs, step)) last = after!;
  const losses = (await head(model, batches, last, HEAD_ROWS, () => undefined)).flatMap(({ loss }) => [...loss]);
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}

/** The step whose finite difference agrees best. */
async function best(tries: Iterable<Try>, layer: number, loss: () => Promise<number>): Promise<Derivative> {
  let found: Derivative | null = null;
  for (const { step, length, gradient, typical, move } of tries) {
    const at = async (sign: number): Promise<number> => {
      move(sign);
      return loss();
    };
    const difference = ((await at(1)) - (await at(-1))) / (2 * length);
    move(0);
    const size = Math.max(Math.abs(gradient), typical);
    const error = size === 0 ? Math.abs(difference) : Math.abs(difference - gradient) / size;
    if (!found || error < found.error) found = { layer, step, difference, gradient, error };
  }
  return found!;
}

function difference(a: Seen, b: Seen): Difference {
  let [grams, layer] = [0, [...b.grams.keys()][0]];
  for (const [key, values] of b.grams) {
    const error = relative(a.grams.get(key)!, values);
    if (error > grams) [grams, layer] = [error, key];
  }
  return { grams, layer, loss: relative(a.loss, b.loss) };
}

function relative(a: number[], b: number[]): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

/** Where the tables depend on a sample's own length only equals share a batch. */
function sameTables(model: Model, samples: EncodedSample[], group: number[]): number[][] {
  const keys = group.map((i) => {
    const { length } = samples[i].tokens;
    return model.architecture.lengthMatters(length) ? length : 0;
  });
  return [...new Set(keys)].map((key) => group.filter((_, at) => keys[at] === key));
}

/** One sample with padding behind it. */
function paddedTo(model: Model, samples: EncodedSample[], index: number, length: number): Batch {
  const { tokens } = samples[index];
  const longer = new Int32Array(length);
  longer.set(tokens);
  const [own] = makeBatches(model.architecture, 'train', samples, [[index]]);
  const [wide] = makeBatches(model.architecture, 'train', [{ ...samples[index], tokens: longer }], [[0]]);
  const ids = integers(BigInt64Array.from(longer, BigInt), [1, length]);
  return { ...own, length, tokens: ids, tables: wide.tables };
}

/**
 * Every weight that is stored finer than bfloat16 takes its nearest bfloat16.
 * @returns whether there is such a weight
 */
function roundWeights({ weights }: Model): boolean {
  const names = weights.names().filter((name) => weights.stored(name).dtype !== 'BF16');
  for (const name of names) weights.replace(name, () => roundToBfloat16(weights.original(name)));
  return names.length > 0;
}

/** Nearest bfloat16, ties to even, as a new array. */
export function roundToBfloat16(values: Float32Array): Float32Array {
  const rounded = values.slice();
  const bits = new Uint32Array(rounded.buffer, rounded.byteOffset, rounded.length);
  for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] + 0x7fff + ((bits[i] >>> 16) & 1)) & 0xffff0000;
  return rounded;
}

function storedTypes({ weights, architecture }: Model, { layers, modules }: GradientCheckRequest): string[] {
  const types = layers.flatMap((layer) =>
    architecture
      .modules(layer)
      .filter(({ name }) => modules.includes(name))
      .map(({ name }) => weights.stored(`${architecture.layerName(layer)}.${name}.weight`).dtype),
  );
  return [...new Set(types)].sort();
}
