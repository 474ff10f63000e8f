/**
 * One mask value for the change of each linear module (ILA, arXiv 2410.17875): theta(gamma) = theta_0 + gamma * delta
 * theta, gamma = sigmoid(s), s learned by Adam so that the masked model keeps a low loss. The change of a module is the
 * product of its LoRA factors, or what a second checkpoint differs by. Nothing is differentiated through the optimiser:
 *
 *   d loss / d s_k = gamma_k (1 - gamma_k) (<d loss / d W_k, delta_k> + penalty)
 *
 * With factors delta = scale B A only B is scaled, and the product is that of B with its own gradient: A never meets B.
 */
import type { DeltaMaskRequest, DeltaMaskSummary } from '../../../../protocol/deltaMasks.ts';
import { openCheckpoint } from '../../checkpoints/openCheckpoint.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { LinearModule } from '../../models/types.ts';
import { Random } from '../../random/random.ts';
import { adamw } from '../../training/adamw.ts';
import type { Report } from '../runtime/report.ts';
import { groupsOf, makeBatches } from '../sweep/batch.ts';
import type { Batch } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import { segmentsOf } from '../sweep/chain.ts';
import { backwardSegment, forward, head } from '../sweep/sweep.ts';
import { asRows, weightName } from '../sweep/weights.ts';
import { GradientSums } from './gradientSums.ts';

/** Torch's Adam, which has no decay. */
const ADAM = {
  id: 'adamw' as const,
  learningRate: 0,
  weightDecay: 0,
  betas: [0.9, 0.999] as [number, number],
  epsilon: 1e-8,
  momentum: 0,
  schedule: 'constant' as const,
  warmupSteps: 0,
  clipNorm: null,
};

/** The change of one linear module. */
interface Change {
  layer: number;
  module: string;
  /** Whose gradient is multiplied with the change: the module, or its factor B. */
  captured: LinearModule;
  /** Of the weight that is scaled. */
  tensor: string;
  /** As stored, anew each time. */
  delta: () => Float32Array;
  /** The weight at gamma. */
  masked: (gamma: number) => Float32Array;
}

/** @throws LayerifError of the second checkpoint; the AbortSignal's reason when cancelled */
export async function learnMask(model: Model, request: DeltaMaskRequest, report: Report): Promise<DeltaMaskSummary> {
  const started = performance.now();
  const { texts, steps, batch: size, tokensPerRun } = request;
  const { architecture, weights } = model;
  weights.restore();
  weights.mode = request.weights;
  const tuned = request.tuned === undefined ? null : openCheckpoint(request.tuned);
  const sums = await model.kept('gradient sums', () => GradientSums.create(model.runtime));
  try {
    if (tuned) takeOver(model, tuned);
    const all = tuned ? changesTo(model, tuned) : changesOfFactors(model);
    const changes = all.filter((change) => change.delta().some((value) => value !== 0));
    const everything = groupsOf(architecture, texts, tokensPerRun);
    const lossAt = async (gamma: number): Promise<number> => {
      mask(model, changes, () => gamma);
      return (await losses(model, makeBatches(architecture, 'train', texts, everything), request.headRows)).mean;
    };
    const ends = { none: await lossAt(0), all: await lossAt(1) };
    const s = new Float64Array(changes.length).fill(request.start);
    const optimizer = adamw.create(ADAM);
    const order = new Drawn(texts.length, new Random(request.seed, 'delta masks'));
    const loss = new Float64Array(steps);
    for (let step = 0; step < steps && changes.length > 0; step++) {
      const gamma = s.map(sigmoid);
      mask(model, changes, (k) => gamma[k]);
      const chosen = order.next(Math.min(size, texts.length));
      const groups = groupsOf(
        architecture,
        chosen.map((i) => texts[i]),
        tokensPerRun,
      ).map((group) => group.map((i) => chosen[i]));
      const found = await products(
        model,
        changes,
        makeBatches(architecture, 'train', texts, groups),
        request.headRows,
        sums,
      );
      loss[step] = found.loss;
      const gradient = found.products.map((product, k) => gamma[k] * (1 - gamma[k]) * (product + request.penalty));
      optimizer.step(new Map([['s', s]]), new Map([['s', gradient]]), request.learningRate);
      report({ type: 'training', run: 'mask', done: step + 1, total: steps });
    }
    sums.rest();
    const at = new Map(changes.map((change, k) => [change, s[k]]));
    return {
      modules: all.map((change) => ({ layer: change.layer, module: change.module, s: at.get(change) ?? null })),
      loss,
      ends,
      seconds: (performance.now() - started) / 1000,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    weights.restore();
    tuned?.close();
  }
}

export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** What is no linear module of a layer is the second checkpoint's throughout. */
function takeOver({ architecture, weights }: Model, tuned: Checkpoint): void {
  const matrices = new Set(
    Array.from({ length: architecture.layers }, (_, layer) =>
      architecture.modules(layer).map((module) => weightName(architecture, layer, module)),
    ).flat(),
  );
  for (const name of weights.names()) {
    if (!matrices.has(name) && tuned.tensors.has(name)) weights.replace(name, () => tuned.read(name));
  }
}

function changesTo({ architecture, weights }: Model, tuned: Checkpoint): Change[] {
  return Array.from({ length: architecture.layers }, (_, layer) =>
    architecture.modules(layer).map((module): Change => {
      const tensor = weightName(architecture, layer, module);
      const delta = (): Float32Array => {
        const base = weights.original(tensor);
        return tuned.read(tensor).map((value, i) => value - base[i]);
      };
      const masked = (gamma: number): Float32Array => {
        const base = weights.original(tensor);
        return tuned.read(tensor).map((value, i) => (gamma === 1 ? value : base[i] + gamma * (value - base[i])));
      };
      return { layer, module: module.name, captured: module, tensor, delta, masked };
    }),
  ).flat();
}

function changesOfFactors({ architecture, weights }: Model): Change[] {
  return Array.from({ length: architecture.layers }, (_, layer) =>
    architecture
      .modules(layer)
      .filter(({ name, factor }) => factor && name.endsWith('.lora_B'))
      .map((captured): Change => {
        const tensor = weightName(architecture, layer, captured);
        const module = captured.name.slice(0, -'.lora_B'.length);
        const delta = (): Float32Array => weights.original(tensor);
        const masked = (gamma: number): Float32Array => delta().map((value) => gamma * value);
        return { layer, module, captured, tensor, delta, masked };
      }),
  ).flat();
}

function mask({ weights }: Model, changes: readonly Change[], gammaOf: (k: number) => number): void {
  changes.forEach(({ tensor, masked }, k) => {
    const gamma = gammaOf(k);
    weights.replace(tensor, () => masked(gamma));
  });
}

interface Losses {
  mean: number;
  /** Per batch. */
  dy: Awaited<ReturnType<typeof head>>[number]['dy'][];
  boundaries: Awaited<ReturnType<typeof forward>>;
}

async function losses(model: Model, batches: Batch[], headRows: number, from = 0): Promise<Losses> {
  const segments = segmentsOf(model.architecture.layers, from, 1);
  const boundaries = await forward(model, batches, segments, segments.length, () => undefined);
  const ends = await head(model, batches, boundaries.pop()!, headRows, () => undefined);
  const each = ends.flatMap(({ loss }) => [...loss]);
  return { mean: each.reduce((a, b) => a + b, 0) / each.length, dy: ends.map(({ dy }) => dy), boundaries };
}

/** <gradient of the mean loss, delta> of each change. */
async function products(
  model: Model,
  changes: readonly Change[],
  batches: Batch[],
  headRows: number,
  sums: GradientSums,
): Promise<{ loss: number; products: Float64Array }> {
  const lowest = Math.min(...changes.map(({ layer }) => layer));
  const { mean, dy, boundaries } = await losses(model, batches, headRows, lowest);
  const count = batches.reduce((sum, { samples }) => sum + samples.length, 0);
  const found = new Float64Array(changes.length);
  let cotangents = dy;
  for (let layer = model.architecture.layers - 1; layer >= lowest; layer--) {
    const wanted = new Map(
      changes.flatMap((change, k) => (change.layer === layer ? [[change.captured.name, { change, k }] as const] : [])),
    );
    const { captures, dx } = await backwardSegment(
      model,
      batches,
      [layer],
      boundaries.pop()!,
      cotangents,
      (_, name) => wanted.has(name),
      layer > lowest,
      () => undefined,
    );
    for (const capture of captures) {
      const { change, k } = wanted.get(capture.module)!;
      const [gradient] = await sums.sums(capture, capture.batches, 1);
      const delta = asRows(change.delta(), change.captured);
      let product = 0;
      for (let i = 0; i < gradient.length; i++) product += gradient[i] * delta[i];
      found[k] = product / count;
    }
    sums.rest();
    if (dx) cotangents = dx;
  }
  return { loss: mean, products: found };
}

/** Texts in a new random order each time that all were drawn. */
class Drawn {
  readonly #count: number;
  readonly #random: Random;
  #left: number[] = [];

  constructor(count: number, random: Random) {
    this.#count = count;
    this.#random = random;
  }

  next(size: number): number[] {
    if (this.#left.length < size) this.#left = this.#random.permutation(this.#count);
    return this.#left.splice(0, size);
  }
}
