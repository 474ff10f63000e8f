/**
 * A model with trainable low-rank factors on some of its layers, or with matrices of theirs that are trained. These
 * live here, everything else is the warm model's; what lies below the lowest trained layer never changes, so its
 * activations are computed once and kept: n x T x hidden numbers.
 */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { LoraSettings } from '../../../../protocol/training.ts';
import { adapted } from '../../models/adapter.ts';
import type { Architecture } from '../../models/types.ts';
import type { LoraShape } from '../../training/lora.ts';
import { factorNames } from '../../training/lora.ts';
import type { Parameters } from '../../training/parameters.ts';
import { makeBatches, groupsOf } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import { downward, kinds, openSegment, segmentsOf, upward } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import { forwardGraph } from '../sweep/graphs.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { forward, head } from '../sweep/sweep.ts';
import { trainingHeadRows } from './headRows.ts';
import { TrainedTensors } from './trainedTensors.ts';
import { weightGradientGraph } from './weightGradients.ts';

export interface TrainedModelOptions {
  trains?: 'factors' | 'matrices' | undefined;
  lora: LoraSettings;
  /** Padded tokens of one run. */
  tokensPerRun: number;
  segmentLength: number;
}

export class TrainedModel {
  readonly architecture: Architecture;
  /** The modules with factors, in forward order; none where matrices are trained. */
  readonly shapes: readonly LoraShape[];
  /** Trained weights by their whole names, with their shapes as stored. */
  readonly sizes: ReadonlyMap<string, readonly number[]>;
  readonly #model: Model;
  readonly #samples: readonly EncodedSample[];
  readonly #segments: readonly Segment[];
  readonly #tokensPerRun: number;
  /** Input of the lowest trained layer, per sample: [T, hidden]. */
  readonly #states: Float32Array[];
  readonly #batches = new Map<string, { batch: Batch; x: Tensor }>();
  readonly #trained: TrainedTensors;

  private constructor(
    model: Model,
    architecture: Architecture,
    shapes: LoraShape[],
    samples: readonly EncodedSample[],
    segments: Segment[],
    states: Float32Array[],
    tokensPerRun: number,
    matrices: ReadonlyMap<string, readonly number[]> | null,
  ) {
    this.#model = model;
    this.architecture = architecture;
    this.shapes = shapes;
    this.#samples = samples;
    this.#segments = segments;
    this.#states = states;
    this.#tokensPerRun = tokensPerRun;
    const factors = shapes.flatMap(({ module, rows, columns, rank }) => {
      const { A, B } = factorNames(module);
      return [[A, [rank, columns]] as const, [B, [rows, rank]] as const];
    });
    this.sizes = matrices ?? new Map(factors);
    this.#trained = new TrainedTensors(model, this.sizes);
  }

  /**
   * Runs the untrained layers below once for every sample.
   * @throws Error when no layer has one of the modules
   */
  static async create(
    model: Model,
    samples: readonly EncodedSample[],
    { lora, trains = 'factors', tokensPerRun, segmentLength }: TrainedModelOptions,
  ): Promise<TrainedModel> {
    const base = model.architecture;
    const shapes = lora.layers.flatMap((layer) =>
      base
        .modules(layer)
        .filter(({ name, factor }) => !factor && lora.modules.includes(name))
        .map(({ name, rows, columns }) => ({
          module: `${base.layerName(layer)}.${name}`,
          rows,
          columns,
          rank: lora.rank,
        })),
    );
    if (shapes.length === 0)
      throw new Error(`layers ${lora.layers.join(', ')} have none of the modules ${lora.modules.join(', ')}`);
    const scale = lora.alpha / lora.rank;
    const matrices =
      trains === 'factors'
        ? null
        : new Map(shapes.map(({ module }) => [`${module}.weight`, model.weights.stored(`${module}.weight`).shape]));
    const architecture = matrices
      ? base
      : adapted(base, {
          path: 'in training',
          factors: new Map(shapes.map(({ module, rank }) => [module, { rank, scale }])),
          targets: () => null,
        });
    const segments = segmentsOf(base.layers, lora.layers[0], segmentLength);
    const groups = groupsOf(base, samples, tokensPerRun);
    const batches = makeBatches(base, 'train', [...samples], groups);
    const [inputs] = await forward(model, batches, segments, 0, () => undefined);
    const states: Float32Array[] = [];
    for (const [b, batch] of batches.entries()) {
      const all = numbers(inputs[b]);
      batch.samples.forEach((sample, row) => {
        const start = row * batch.length * base.hidden;
        states[sample] = all.slice(start, start + samples[sample].tokens.length * base.hidden);
      });
    }
    const own = matrices ? [] : shapes;
    return new TrainedModel(model, architecture, own, samples, segments, states, tokensPerRun, matrices);
  }

  /** The matrices as the checkpoint has them. */
  original(): Parameters {
    return new Map([...this.sizes.keys()].map((name) => [name, Float64Array.from(this.#model.weights.original(name))]));
  }

  /** @param parameters the trained weights; changes to them count from the next `update` on */
  use(parameters: Parameters): void {
    this.#trained.use(parameters);
  }

  /** Takes over the numbers that a step has changed. */
  update(): void {
    this.#trained.update();
  }

  /** Mean nats per counted token of each sample. @param samples indices */
  async losses(samples: readonly number[]): Promise<Float64Array> {
    const losses = new Float64Array(samples.length);
    const place = new Map(samples.map((sample, i) => [sample, i]));
    for (const { batch, x } of this.#runsOf(samples)) {
      const { hidden } = await this.#forward(batch, x);
      const [result] = await head(this.#model, [batch], [hidden], trainingHeadRows(this.architecture), () => undefined);
      batch.samples.forEach((sample, row) => (losses[place.get(sample)!] = result.loss[row]));
    }
    return losses;
  }

  /**
   * Mean loss over the samples and its gradient with respect to every trained weight.
   * @param samples indices, at least one
   */
  async gradient(samples: readonly number[]): Promise<{ loss: number; gradient: Parameters }> {
    const gradient = this.#trained.zeros();
    let loss = 0;
    for (const { batch, x } of this.#runsOf(samples)) {
      const { hidden, inputs } = await this.#forward(batch, x);
      const [result] = await head(this.#model, [batch], [hidden], trainingHeadRows(this.architecture), () => undefined);
      for (const value of result.loss) loss += value / samples.length;
      const scale = 1 / samples.length;
      const sweep = downward(this.#segments, result.dy, (layers, dy, s) =>
        this.#backward(batch, layers, inputs[s], dy, s > 0),
      );
      for await (const { seen } of sweep) {
        for (const [name, part] of seen) {
          const sum = gradient.get(name)!;
          for (let i = 0; i < sum.length; i++) sum[i] += scale * part[i];
        }
      }
    }
    return { loss, gradient };
  }

  async #forward(batch: Batch, x: Tensor): Promise<{ hidden: Tensor; inputs: Tensor[] }> {
    const inputs: Tensor[] = [];
    let hidden = x;
    const step = async (layers: Segment, before: Tensor): Promise<Tensor> => {
      const key = `forward ${kinds(this.architecture, layers)}`;
      const build = () => forwardGraph(this.architecture, layers);
      const { run } = await openSegment(this.#model, key, layers, build, this.#trained);
      return (await run(batch, { x: before })).y;
    };
    for await (const { before, after } of upward(this.#segments, x, step)) {
      inputs.push(before);
      hidden = after!;
    }
    return { hidden, inputs };
  }

  /** A segment's gradients by the whole names of the factors, and the cotangent of its input. */
  async #backward(
    batch: Batch,
    layers: Segment,
    x: Tensor,
    dy: Tensor,
    wantInput: boolean,
  ): Promise<{ seen: [string, Float32Array][]; dx: Tensor | null }> {
    const key = `train ${kinds(this.architecture, layers)} ${wantInput}`;
    const build = () =>
      weightGradientGraph(this.architecture, layers, (l, tensor) => this.#isTrained(l, tensor), wantInput);
    const { built, run } = await openSegment(this.#model, key, layers, build, this.#trained);
    const results = await run(batch, { x, dy });
    const seen = built.gradients.map(({ block, tensor, output }): [string, Float32Array] => [
      `${this.architecture.layerName(layers[block])}.${tensor}`,
      numbers(results[output]),
    ]);
    return { seen, dx: built.dx === null ? null : results[built.dx] };
  }

  #isTrained(layer: number, tensor: string): boolean {
    return this.#trained.has(`${this.architecture.layerName(layer)}.${tensor}`);
  }

  /** Runs of samples that are asked for again and again (full batches, validation) keep their inputs. */
  #runsOf(samples: readonly number[]): { batch: Batch; x: Tensor }[] {
    const { hidden } = this.architecture;
    const list = samples.map((i) => this.#samples[i]);
    const groups = groupsOf(this.architecture, list, this.#tokensPerRun).map((group) => group.map((i) => samples[i]));
    if (this.#batches.size > 4 * groups.length + 64) this.#batches.clear();
    return groups.map((group) => {
      const key = group.join();
      let made = this.#batches.get(key);
      if (!made) {
        const [batch] = makeBatches(this.architecture, 'train', [...this.#samples], [group]);
        const x = new Float32Array(group.length * batch.length * hidden);
        group.forEach((sample, row) => x.set(this.#states[sample], row * batch.length * hidden));
        made = { batch, x: floats(x, [group.length, batch.length, hidden]) };
        this.#batches.set(key, made);
      }
      return made;
    });
  }
}
