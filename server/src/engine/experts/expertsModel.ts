/**
 * A model with trainable LoRA experts (models/loraExperts.ts). The experts live here, everything else is the warm
 * model's. A step goes twice through its runs: forward, which also sums up every router's assignments, then backward
 * with the balance loss of the whole step; so its gradient does not depend on how the samples are split into runs.
 * Between the two the inputs of all layers are kept: tokens of a step x layers x hidden numbers.
 */
import type { EvaluateSummary } from '../../../../protocol/evaluation.ts';
import type { ExpertSettings } from '../../../../protocol/experts.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { expertNames, withExperts } from '../../models/loraExperts.ts';
import type { Architecture } from '../../models/types.ts';
import { balance, noRouterSums } from '../../training/expertsBalance.ts';
import type { RouterSums } from '../../training/expertsBalance.ts';
import { shapesOf } from '../../training/expertsFactors.ts';
import type { ExpertModule } from '../../training/expertsFactors.ts';
import type { Parameters } from '../../training/parameters.ts';
import { makeBatches, groupsOf } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import { downward, kinds, openSegment, segmentsOf, upward } from '../sweep/chain.ts';
import type { Segment } from '../sweep/chain.ts';
import { countedTokens } from '../observe/logProbabilities.ts';
import type { Model } from '../sweep/model.ts';
import { expertsForwardGraph, expertsGradientGraph } from './expertsGraphs.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';
import { forward, head } from '../sweep/sweep.ts';
import { trainingHeadRows } from '../train/headRows.ts';
import { TrainedTensors } from '../train/trainedTensors.ts';

/** One run's way through the layers. */
interface Passed {
  batch: Batch;
  present: Tensor;
  /** Of every segment. */
  inputs: Tensor[];
  hidden: Tensor;
}

export interface ExpertsGradient {
  /** Mean over the samples of the mean nats per counted token. */
  loss: number;
  /** Mean over the routers. */
  balance: number;
  /** Of loss + coefficient times the sum of all routers' balance losses. */
  gradient: Parameters;
}

export class ExpertsModel {
  readonly architecture: Architecture;
  /** The modules with experts, in forward order. */
  readonly modules: readonly ExpertModule[];
  readonly #model: Model;
  readonly #samples: readonly EncodedSample[];
  readonly #segments: readonly Segment[];
  readonly #tokensPerRun: number;
  readonly #trained: TrainedTensors;

  /** @throws Error where no layer has experts on one of the modules */
  constructor(
    model: Model,
    samples: readonly EncodedSample[],
    { experts, topK, rank, alpha, modules }: ExpertSettings,
    tokensPerRun: number,
  ) {
    const base = model.architecture;
    const layers = experts.map((count, l) =>
      count === 0 ? null : { count, chosen: topK[l], rank, scale: alpha / rank },
    );
    this.modules = experts.flatMap((count, layer) =>
      base
        .modules(layer)
        .filter(({ name, factor }) => count > 0 && !factor && modules.includes(name))
        .map(({ name, rows, columns }) => {
          const module = `${base.layerName(layer)}.${name}`;
          return { layer, module, rows, columns, experts: count, rank, names: expertNames(module) };
        }),
    );
    if (this.modules.length === 0) throw new Error(`no layer has experts on one of ${modules.join(', ')}`);
    this.architecture = withExperts(base, layers, new Set(modules));
    this.#model = model;
    this.#samples = samples;
    this.#segments = segmentsOf(base.layers, this.modules[0].layer, 1);
    this.#tokensPerRun = tokensPerRun;
    this.#trained = new TrainedTensors(model, shapesOf(this.modules));
  }

  /** @param parameters weights of the experts; changes to them count from the next `update` on */
  use(parameters: Parameters): void {
    this.#trained.use(parameters);
  }

  update(): void {
    this.#trained.update();
  }

  /**
   * @param samples indices, at least one
   * @param coefficient of the balance losses
   */
  async gradient(samples: readonly number[], coefficient: number): Promise<ExpertsGradient> {
    const gradient = this.#trained.zeros();
    const sums = new Map(this.modules.map((m) => [m.module, noRouterSums(m.experts)]));
    const passed: Passed[] = [];
    for (const batch of this.#batchesOf(samples)) passed.push(...(await this.#pass([batch], sums)));
    const tokens = samples.reduce((sum, i) => sum + this.#samples[i].tokens.length, 0);
    const slopes = new Map<string, Tensor>();
    let uneven = 0;
    for (const [module, sum] of sums) {
      const { loss, slope } = balance(sum, tokens);
      uneven += loss / sums.size;
      const scaled = Float32Array.from(slope, (value) => coefficient * value);
      slopes.set(module, floats(scaled, [scaled.length]));
    }
    let loss = 0;
    for (const run of passed) {
      const [result] = await head(
        this.#model,
        [run.batch],
        [run.hidden],
        trainingHeadRows(this.architecture),
        () => undefined,
      );
      for (const value of result.loss) loss += value / samples.length;
      const top = floats(
        numbers(result.dy).map((value) => value / samples.length),
        result.dy.dims,
      );
      const sweep = downward(this.#segments, top, (layers, dy, s) => this.#back(run, layers, s, dy, slopes));
      for await (const { seen } of sweep) for (const [name, part] of seen) add(gradient.get(name)!, part);
    }
    return { loss, balance: uneven, gradient };
  }

  /**
   * Log-likelihoods of texts, as `evaluate` gives them.
   * @param groups of batches of indices into `sequences`; activations of one group are in memory at a time
   */
  async logLikelihoods(
    sequences: EncodedSample[],
    groups: readonly number[][][],
    headRows: number,
    onGroup: (done: number) => void,
  ): Promise<EvaluateSummary> {
    const summary: EvaluateSummary = {
      logLikelihood: new Float64Array(sequences.length),
      greedy: new Uint8Array(sequences.length).fill(1),
      counted: Int32Array.from(sequences, ({ tokens, countedFrom }) => tokens.length - countedFrom),
    };
    let done = 0;
    for (const group of groups) {
      const batches = makeBatches(this.architecture, 'train', sequences, group);
      for (const { batch, hidden } of await this.#pass(batches, null)) {
        await countedTokens(this.#model, batch, hidden, headRows, (sequence, logProbability, likeliest) => {
          summary.logLikelihood[sequence] += logProbability;
          if (!likeliest) summary.greedy[sequence] = 0;
        });
        done += batch.samples.length;
      }
      onGroup(done);
    }
    return summary;
  }

  /**
   * All batches through a layer before the next, so that streamed weights are read once.
   * @param sums get the routers' sums; null: inputs are not kept
   */
  async #pass(batches: Batch[], sums: ReadonlyMap<string, RouterSums> | null): Promise<Passed[]> {
    const [states] = await forward(this.#model, batches, [...this.#segments], 0, () => undefined);
    const passed = batches.map((batch, i) => ({
      batch,
      present: presentIn(batch),
      inputs: [] as Tensor[],
      hidden: states[i],
    }));
    const step = async (layers: Segment, before: Tensor[]): Promise<Tensor[]> => {
      const key = `experts forward ${kinds(this.architecture, layers)}`;
      const build = () => expertsForwardGraph(this.architecture, layers);
      const { built, run } = await openSegment(this.#model, key, layers, build, this.#trained);
      const after: Tensor[] = [];
      for (const [i, { batch, present }] of passed.entries()) {
        const own: Feeds = built.routers.length === 0 ? {} : { present };
        const results = await run(batch, { x: before[i], ...own });
        after.push(results.y);
        for (const { block, module, assigned, probability } of sums ? built.routers : []) {
          const sum = sums!.get(this.#whole(layers, block, module))!;
          add(sum.assigned, numbers(results[assigned]));
          add(sum.probability, numbers(results[probability]));
        }
      }
      return after;
    };
    for await (const { before, after } of upward(this.#segments, states, step)) {
      for (const [i, run] of passed.entries()) {
        if (sums) run.inputs.push(before[i]);
        run.hidden = after![i];
      }
    }
    return passed;
  }

  /** A segment's gradients by the whole names of the weights, and the cotangent of its input. */
  async #back(
    { batch, present, inputs }: Passed,
    layers: Segment,
    s: number,
    dy: Tensor,
    slopes: ReadonlyMap<string, Tensor>,
  ): Promise<{ seen: [string, Float32Array][]; dx: Tensor | null }> {
    const wantInput = s > 0;
    const key = `experts backward ${kinds(this.architecture, layers)} ${wantInput}`;
    const build = () =>
      expertsGradientGraph(this.architecture, layers, (l, t) => this.#trained.has(this.#whole([l], 0, t)), wantInput);
    const { built, run } = await openSegment(this.#model, key, layers, build, this.#trained);
    const own: Feeds = built.slopes.length === 0 ? {} : { present };
    for (const { block, module, input } of built.slopes) own[input] = slopes.get(this.#whole(layers, block, module))!;
    const results = await run(batch, { x: inputs[s], dy, ...own });
    const seen = built.gradients.map(({ block, tensor, output }): [string, Float32Array] => [
      this.#whole(layers, block, tensor),
      numbers(results[output]),
    ]);
    return { seen, dx: built.dx === null ? null : results[built.dx] };
  }

  #whole(layers: Segment, block: number, below: string): string {
    return `${this.architecture.layerName(layers[block])}.${below}`;
  }

  #batchesOf(samples: readonly number[]): Batch[] {
    const list = samples.map((i) => this.#samples[i]);
    return makeBatches(this.architecture, 'train', list, groupsOf(this.architecture, list, this.#tokensPerRun));
  }
}

/** [B, T, 1]: 1 for tokens, 0 for padding. */
function presentIn({ lengths, length }: Batch): Tensor {
  const present = new Float32Array(lengths.length * length);
  lengths.forEach((tokens, row) => present.fill(1, row * length, row * length + tokens));
  return floats(present, [lengths.length, length, 1]);
}

function add(into: Float64Array, part: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] += part[i];
}
