/**
 * Samples through a user's graph, forward and backward: losses, and the captures x and y of the scored modules of some
 * layers, all together or one sample after the other for sums of gradients.
 */
import type { CollectRequest } from '../../../../protocol/engine.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Fed } from '../../graphs/inputs.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { GraphModule } from '../../graphs/types.ts';
import type { CapturedBatch, CaptureSource } from '../grams/linearMode.ts';
import { floats, integers, typedTensor } from '../runtime/runtime.ts';
import type { Feeds } from '../runtime/runtime.ts';
import type { Batch } from '../sweep/batch.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { GradientSession, GraphModel } from './graphModel.ts';

/**
 * Token counts of causal models are rounded up to a multiple of this, so that samples of like length share a session.
 */
const LENGTH_STEP = 16;

/** A sample with its place in its split. */
export interface Placed {
  split: 'train' | 'validation';
  index: number;
  sample: EncodedSample;
}

export interface GraphCaptures {
  captures: ModuleCaptures[];
  losses: { train: Float64Array; validation: Float64Array };
}

/**
 * Runs all samples; captures of the scored modules of `layers` in forward order, batches in the order of the samples.
 * @param modules names below a layer
 */
export async function capture(
  model: GraphModel,
  opened: OpenedGraph,
  samples: readonly Placed[],
  layers: readonly number[],
  modules: readonly string[],
  onSample: (done: number) => void = () => undefined,
): Promise<GraphCaptures> {
  const all = scoredOf(opened, layers, modules);
  const losses = noLosses(samples);
  let done = 0;
  for await (const { placed: one, loss, captures } of captured(model, opened, samples, layers, modules)) {
    losses[one.split][one.index] = loss;
    captures.forEach(({ batches }, at) => all[at].batches.push(...batches));
    onSample(++done);
  }
  return { captures: all, losses };
}

function noLosses(samples: readonly Placed[]): GraphCaptures['losses'] {
  const count = (split: Placed['split']) => samples.filter((s) => s.split === split).length;
  return { train: new Float64Array(count('train')), validation: new Float64Array(count('validation')) };
}

/** Scored modules in forward order, without captures. */
function scoredOf({ found }: OpenedGraph, layers: readonly number[], modules: readonly string[]): ModuleCaptures[] {
  return layers.flatMap((layer) =>
    found.layers[layer].modules
      .filter(({ name }) => modules.includes(name))
      .map(({ name, module: { rows, columns } }) => ({ layer, module: name, rows, columns, batches: [] })),
  );
}

/**
 * Each sample's loss and captures; samples of one shape one after the other, for a session lives as long as its shape.
 * @param among all samples, which decide how far texts are padded
 */
async function* captured(
  model: GraphModel,
  opened: OpenedGraph,
  samples: readonly Placed[],
  layers: readonly number[],
  modules: readonly string[],
  among: readonly Placed[] = samples,
): AsyncGenerator<{ placed: Placed; loss: number; captures: ModuleCaptures[] }> {
  const places = new Map<GraphModule, number>();
  for (const layer of layers) {
    for (const { name, module } of opened.found.layers[layer].modules)
      if (modules.includes(name)) places.set(module, places.size);
  }
  const byShape = new Map<string, { placed: Placed; fed: Map<string, Fed> }[]>();
  for (const one of samples) {
    const fed = model.bind(one.sample, lengthFor(opened, one.sample, among));
    const key = JSON.stringify([...fed].map(([, { shape }]) => shape));
    byShape.set(key, [...(byShape.get(key) ?? []), { placed: one, fed }]);
  }
  for (const same of byShape.values()) {
    const gradient = await model.session(same[0].fed, new Set(places.keys()));
    try {
      for (const { placed: one, fed } of same) {
        const out = await gradient.session.run({ ...tensorsOf(fed), ...labelsOf(opened, one.sample, gradient) });
        const captures = scoredOf(opened, layers, modules);
        for (const { module, x, y, length } of gradient.captures)
          captures[places.get(module)!].batches.push({ batch: batchOf(one, length), x: out[x], y: out[y] });
        yield { placed: one, loss: lossOf(opened, one.sample, out.nll.data as Float32Array), captures };
      }
    } finally {
      await gradient.session.release();
    }
  }
}

/** Samples of a user's graph for the linear mode; a batch is a sample. */
export class GraphSource implements CaptureSource {
  readonly losses: GraphCaptures['losses'];
  /** Of the sweeps. */
  seconds = 0;
  readonly #run: (samples: readonly Placed[]) => ReturnType<typeof captured>;
  readonly #samples: Record<Placed['split'], Placed[]>;
  readonly #onSample: () => void;

  constructor(
    model: GraphModel,
    opened: OpenedGraph,
    samples: readonly Placed[],
    layers: readonly number[],
    { modules, plan }: CollectRequest,
    onSample: () => void,
  ) {
    this.losses = noLosses(samples);
    this.#run = (chosen) => captured(model, opened, chosen, layers, modules, samples);
    // A batch of the plan is one sample.
    const of = (split: Placed['split']) => {
      const own = samples.filter((one) => one.split === split);
      return plan.batches[split].map(([sample]) => own[sample]);
    };
    this.#samples = { train: of('train'), validation: of('validation') };
    this.#onSample = onSample;
  }

  async *first(split: Placed['split']): AsyncGenerator<CapturedBatch> {
    const places = new Map(this.#samples[split].map((one, index) => [one, index]));
    for await (const { placed: one, loss, captures } of this.#timed(this.#samples[split])) {
      this.losses[split][one.index] = loss;
      this.#onSample();
      yield { index: places.get(one)!, captures };
    }
  }

  async *again(indices: readonly number[]): AsyncGenerator<CapturedBatch> {
    const places = new Map(indices.map((index) => [this.#samples.train[index], index]));
    for await (const { placed: one, captures } of this.#timed([...places.keys()]))
      yield { index: places.get(one)!, captures };
  }

  async *#timed(samples: readonly Placed[]): ReturnType<typeof captured> {
    let start = performance.now();
    for await (const one of this.#run(samples)) {
      this.seconds += (performance.now() - start) / 1000;
      yield one;
      start = performance.now();
    }
  }
}

/**
 * Padded length: causal models do not see what stands behind, so few lengths share the sessions; others take each its
 * own.
 */
export function lengthFor(opened: OpenedGraph, sample: EncodedSample, samples: readonly Placed[]): number {
  const { longest } = opened.architecture;
  if (longest !== undefined) return longest;
  const own = sample.tokens.length;
  if (opened.task !== 'causal') return own;
  const most = samples.reduce((max, { sample: { tokens } }) => Math.max(max, tokens.length), 0);
  return Math.min(Math.ceil(own / LENGTH_STEP) * LENGTH_STEP, most);
}

/** One sample's part in a module's captures: as many rows as the module has positions. */
function batchOf({ split, index }: Placed, length: number): Batch {
  const empty = { position: new Int32Array(0), label: new Int32Array(0), row: new Int32Array(0) };
  return {
    split,
    samples: [index],
    lengths: [length],
    length,
    tokens: integers(new BigInt64Array(0), [0]),
    tables: {},
    counted: { ...empty, weight: new Float32Array(0) },
  };
}

function tensorsOf(fed: ReadonlyMap<string, Fed>): Feeds {
  return Object.fromEntries(
    [...fed].map(([name, { type, data, shape }]) => [`input/${name}`, typedTensor(type, data, shape)]),
  );
}

/** Labels and weights of the positions: the next token where it is counted, or the class. */
function labelsOf(
  { task }: OpenedGraph,
  { tokens, countedFrom, label }: EncodedSample,
  { positions }: GradientSession,
): Feeds {
  const labels = new BigInt64Array(positions);
  const weights = new Float32Array(positions);
  if (task === 'classification') {
    labels[0] = BigInt(label ?? 0);
    weights[0] = 1;
  } else {
    for (let t = countedFrom; t < tokens.length; t++) {
      labels[t - 1] = BigInt(tokens[t]);
      weights[t - 1] = 1 / (tokens.length - countedFrom);
    }
  }
  return { labels: integers(labels, [positions]), weight: floats(weights, [positions]) };
}

/** Mean over the counted positions, in nats. */
function lossOf({ task }: OpenedGraph, { tokens, countedFrom }: EncodedSample, nll: Float32Array): number {
  if (task === 'classification') return nll[0];
  let sum = 0;
  for (let t = countedFrom; t < tokens.length; t++) sum += nll[t - 1];
  return sum / (tokens.length - countedFrom);
}
