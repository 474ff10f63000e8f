/**
 * Influence of all validation samples together, without inner products of pairs, for estimators that are linear in the
 * sum of the validation gradients (`SumsForm`, estimators/types.ts). Per matrix, with gᵢ the gradient of a training
 * sample:
 *
 *   v = Σⱼ vⱼ      cᵢ = < gᵢ, v >      kᵢ = |gᵢ|²      u = (v − Σₖ wₖ gₖ) / λ      influence of i = < gᵢ, u >
 *
 * w needs c and k of its own sample and λ, which needs the k of all samples. So the training samples are seen twice:
 * first c and k, then the products with u, whose single tokens are the tokens' influence. Captures of the first batches
 * stay in memory in between, and those of the others are computed again. Of these the weighted sum is made the first
 * time too, with λ as the samples so far tell it; a batch where that changes a weight in the sixth digit, where float32
 * rounds c, is seen once more and its difference added. Nothing grows with the square of the samples.
 *
 * Grams are made of the plan's subsample alone.
 */
import type { CollectRequest, SumsPlan } from '../../../../protocol/engine.ts';
import { dampingOf } from '../../estimators/damping.ts';
import { findEstimator } from '../../estimators/estimators.ts';
import type { SumsForm } from '../../estimators/types.ts';
import { collectGarbage } from '../runtime/garbage.ts';
import { floats } from '../runtime/runtime.ts';
import type { Runtime, Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import { GradientLinear } from './gradientLinear.ts';
import { GradientSums } from './gradientSums.ts';
import { GramProducts } from './grams.ts';
import type { ModuleGrams } from './grams.ts';
import { blockCaptures } from './weightBlocks.ts';

/** Relative change of a weight that is made good. */
const TOLERANCE = 1e-6;
/** Captures after which memory is collected: ONNX Runtime's comes back only with the objects that hold it. */
const GARBAGE = 1 << 28;

/** Captures of one batch of a split; `index` counts the batches of the split. */
export interface CapturedBatch {
  index: number;
  captures: ModuleCaptures[];
}

/** Runs samples backward through some layers. */
export interface CaptureSource {
  /** The first time, when the cotangents go on to the layers below: all batches. */
  first(split: 'train' | 'validation'): AsyncIterable<CapturedBatch>;
  /** The same captures of some training batches again. */
  again(indices: readonly number[]): AsyncIterable<CapturedBatch>;
}

/** A request for sums. */
export type SumsRequest = CollectRequest & { plan: { sums: SumsPlan } };

export function isSumsRequest(request: CollectRequest): request is SumsRequest {
  return request.plan.sums !== undefined;
}

export interface LayerSums {
  layer: number;
  /** By module name; K, C and diagV of the subsample. */
  grams: Map<string, ModuleGrams>;
  /** Of all tokens of the training samples, one sample behind the other. */
  tokens: Float32Array;
}

type Samples = Pick<CollectRequest, 'train' | 'validation'>;

/** Of one matrix, or a block of it. */
interface Matrix {
  layer: number;
  name: string;
  rows: number;
  columns: number;
  /** v, then u. */
  target: Tensor;
  /** Σ wₖ gₖ */
  weighted: Tensor;
  products: Float64Array;
  squares: Float64Array;
  /** Of the samples seen so far. */
  sumOfSquares: number;
  validationSquares: Float64Array;
  /** λ with which a batch's weights were made, by its index. */
  guesses: Map<number, number>;
  influence: Float64Array;
}

export class LinearMode {
  readonly #linear: GradientLinear;
  readonly #sums: GradientSums;
  readonly #grams: GramProducts;

  private constructor(linear: GradientLinear, sums: GradientSums, grams: GramProducts) {
    this.#linear = linear;
    this.#sums = sums;
    this.#grams = grams;
  }

  static async create(runtime: Runtime): Promise<LinearMode> {
    return new LinearMode(
      await GradientLinear.create(runtime),
      await GradientSums.create(runtime),
      await GramProducts.create(runtime),
    );
  }

  /** @throws the AbortSignal's reason; what the source throws */
  async of(source: CaptureSource, request: SumsRequest): Promise<LayerSums[]> {
    const run = new LayersOnce(this.#linear, this.#sums, request);
    const kept = await run.first(source);
    const subsample = await this.#subsample(kept, request);
    await run.second(source, kept.train);
    return run.layers(subsample);
  }

  /** Grams of the subsample, by layer and name. */
  async #subsample(
    { train, validation }: Kept,
    { plan: { sums, gradientTile }, blocks }: SumsRequest,
  ): Promise<Map<string, ModuleGrams>> {
    const chosen = {
      train: new Map(order(sums.subsample.train)),
      validation: new Map(order(sums.subsample.validation)),
    };
    const batches = [
      ...train.filter((batch) => samplesOf(batch).every((sample) => chosen.train.has(sample))),
      ...validation,
    ];
    const found = new Map<string, ModuleGrams>();
    const [first] = batches;
    for (const { layer, module, rows, columns } of first.captures) {
      const parts = batches.flatMap(
        ({ captures }) => captures.find((c) => c.layer === layer && c.module === module)!.batches,
      );
      const together: ModuleCaptures = {
        layer,
        module,
        rows,
        columns,
        batches: parts.map(({ batch, x, y }) => {
          const places = chosen[batch.split as 'train'];
          return { batch: { ...batch, samples: batch.samples.map((sample) => places.get(sample)!) }, x, y };
        }),
      };
      for (const block of blockCaptures(together, blocks)) {
        const { train: n, validation: m } = { train: chosen.train.size, validation: chosen.validation.size };
        found.set(`${layer}.${block.module}`, await this.#grams.of(block, n, m, gradientTile));
      }
    }
    this.#grams.rest();
    validation.length = 0;
    return found;
  }

  async release(): Promise<void> {
    await this.#linear.release();
    await this.#sums.release();
    await this.#grams.release();
  }
}

interface Kept {
  train: CapturedBatch[];
  validation: CapturedBatch[];
}

const order = (samples: readonly number[]) => samples.map((sample, place) => [sample, place] as const);

/** The layers of one segment. */
class LayersOnce {
  readonly #linear: GradientLinear;
  readonly #sums: GradientSums;
  readonly #request: Samples & Pick<CollectRequest, 'blocks'>;
  readonly #plan: SumsPlan;
  readonly #weight: SumsForm['weight'];
  readonly #matrices = new Map<string, Matrix>();
  /** Per layer, and where each training sample begins. */
  readonly #tokens = new Map<number, Float32Array>();
  readonly #starts: number[];
  readonly #tokenCount: number;
  /** Samples of training batches, by index. */
  readonly #samples = new Map<number, number[]>();
  #bytes = 0;

  constructor(linear: GradientLinear, sums: GradientSums, request: SumsRequest) {
    this.#linear = linear;
    this.#sums = sums;
    this.#request = request;
    this.#plan = request.plan.sums;
    const form = findEstimator(this.#plan.estimator).sums;
    if (!form) throw new Error(`estimator ${this.#plan.estimator} has no form for sums`);
    this.#weight = form.weight;
    let count = 0;
    this.#starts = request.train.map(({ tokens }) => (count += tokens.length) - tokens.length);
    this.#tokenCount = count;
  }

  /** v, c, k and what is known of the weighted sum. @returns captures that stay */
  async first(source: CaptureSource): Promise<Kept> {
    const kept: Kept = { train: [], validation: [] };
    const subsample = new Set(this.#plan.subsample.validation);
    for await (const batch of source.first('validation')) {
      for (const block of this.#blocks(batch)) {
        const [part] = block.batches;
        const matrix = this.#matrix(block);
        const squares = await this.#sums.squaredNormsOf(block, part);
        part.batch.samples.forEach((sample, row) => (matrix.validationSquares[sample] = squares[row]));
        matrix.target = await this.#linear.added(matrix.target, block, part);
      }
      if (samplesOf(batch).every((sample) => subsample.has(sample))) kept.validation.push(batch);
      else this.#dropped(batch);
    }
    let seen = 0;
    for await (const batch of source.first('train')) {
      const stays = batch.index < this.#plan.held;
      const own = samplesOf(batch);
      this.#samples.set(batch.index, own);
      seen += own.length;
      for (const block of this.#blocks(batch)) {
        const [part] = block.batches;
        const matrix = this.#matrix(block);
        const squares = await this.#sums.squaredNormsOf(block, part);
        const products = await this.#linear.products(matrix.target, block, part);
        const { samples, length } = part.batch;
        samples.forEach((sample, row) => {
          matrix.squares[sample] = squares[row];
          matrix.sumOfSquares += squares[row];
          matrix.products[sample] = sumOf(products.subarray(row * length, (row + 1) * length));
        });
        if (this.#weight === null) this.#influence(matrix, part.batch, products);
        else if (!stays) {
          const guess = this.#damping(matrix, matrix.sumOfSquares / seen);
          matrix.guesses.set(batch.index, guess);
          const weights = samples.map((sample) => this.#weightOf(matrix, sample, guess));
          matrix.weighted = await this.#linear.added(matrix.weighted, block, part, Float64Array.from(weights));
        }
      }
      if (stays) kept.train.push(batch);
      else this.#dropped(batch);
    }
    return kept;
  }

  /** u and the products with it. @param kept let go on the way */
  async second(source: CaptureSource, kept: CapturedBatch[]): Promise<void> {
    if (this.#weight === null) return;
    const lambdas = new Map([...this.#matrices.values()].map((matrix) => [matrix, this.#lambda(matrix)]));
    const add = async (batch: CapturedBatch) => {
      for (const block of this.#blocks(batch)) {
        const matrix = this.#matrix(block);
        const lambda = lambdas.get(matrix)!;
        const guess = matrix.guesses.get(batch.index);
        if (guess !== undefined && !this.#moved(matrix, batch.index, lambda)) continue;
        const [part] = block.batches;
        const weights = part.batch.samples.map(
          (sample) =>
            this.#weightOf(matrix, sample, lambda) - (guess === undefined ? 0 : this.#weightOf(matrix, sample, guess)),
        );
        matrix.weighted = await this.#linear.added(matrix.weighted, block, part, Float64Array.from(weights));
      }
    };
    for (const batch of kept) await add(batch);
    const others = [...this.#samples.keys()].filter((index) => index >= this.#plan.held);
    const moved = others.filter((index) => [...lambdas].some(([matrix, lambda]) => this.#moved(matrix, index, lambda)));
    for await (const batch of source.again(moved)) {
      await add(batch);
      this.#dropped(batch);
    }
    for (const [matrix, lambda] of lambdas) {
      const [v, h] = [matrix.target.data as Float32Array, matrix.weighted.data as Float32Array];
      const u = v.map((value, i) => (lambda === 0 ? 0 : (value - h[i]) / lambda));
      matrix.target = floats(u, [matrix.rows, matrix.columns]);
    }
    const finish = async (batch: CapturedBatch) => {
      for (const block of this.#blocks(batch)) {
        const matrix = this.#matrix(block);
        const [part] = block.batches;
        this.#influence(matrix, part.batch, await this.#linear.products(matrix.target, block, part));
      }
      this.#dropped(batch);
    };
    for (const batch of kept.splice(0)) await finish(batch);
    for await (const batch of source.again(others)) await finish(batch);
  }

  layers(subsample: ReadonlyMap<string, ModuleGrams>): LayerSums[] {
    const byLayer = new Map<number, LayerSums>();
    for (const [key, matrix] of this.#matrices) {
      const { layer, name, influence, squares: trainSquares, validationSquares } = matrix;
      let own = byLayer.get(layer);
      if (!own) byLayer.set(layer, (own = { layer, grams: new Map(), tokens: this.#tokensOf(layer) }));
      const damping = this.#weight === null ? null : this.#lambda(matrix);
      own.grams.set(name, { ...subsample.get(key)!, sums: { influence, trainSquares, validationSquares, damping } });
    }
    return [...byLayer.values()];
  }

  *#blocks({ captures }: CapturedBatch): Generator<ModuleCaptures> {
    for (const capture of captures) yield* blockCaptures(capture, this.#request.blocks);
  }

  #matrix({ layer, module: name, rows, columns }: ModuleCaptures): Matrix {
    const key = `${layer}.${name}`;
    let matrix = this.#matrices.get(key);
    if (!matrix) {
      const { train, validation } = this.#request;
      const zero = () => floats(new Float32Array(rows * columns), [rows, columns]);
      matrix = {
        layer,
        name,
        rows,
        columns,
        target: zero(),
        weighted: zero(),
        products: new Float64Array(train.length),
        squares: new Float64Array(train.length),
        sumOfSquares: 0,
        validationSquares: new Float64Array(validation.length),
        guesses: new Map(),
        influence: new Float64Array(train.length),
      };
      this.#matrices.set(key, matrix);
    }
    return matrix;
  }

  #lambda(matrix: Matrix): number {
    return this.#damping(matrix, matrix.sumOfSquares / matrix.squares.length);
  }

  #damping({ rows, columns, squares }: Matrix, meanSquare: number): number {
    const size = squares.length;
    return dampingOf({ size, squares: meanSquare * size, parameters: rows * columns }, this.#plan.damping);
  }

  #weightOf({ products, squares }: Matrix, sample: number, lambda: number): number {
    const [product, square] = [products[sample], squares[sample]];
    return product === 0 ? 0 : this.#weight!({ product, square, lambda, n: squares.length });
  }

  /** Whether the batch's weights are not those of λ. */
  #moved(matrix: Matrix, index: number, lambda: number): boolean {
    const guess = matrix.guesses.get(index);
    if (guess === undefined) return false;
    return this.#samples.get(index)!.some((sample) => {
      const right = this.#weightOf(matrix, sample, lambda);
      return Math.abs(this.#weightOf(matrix, sample, guess) - right) > TOLERANCE * Math.abs(right);
    });
  }

  /** Takes the products with u (with v, where there is no weighted sum). */
  #influence(matrix: Matrix, batch: ModuleCaptures['batches'][number]['batch'], products: Float32Array): void {
    const tokens = this.#tokensOf(matrix.layer);
    batch.samples.forEach((sample, row) => {
      const own = products.subarray(row * batch.length, (row + 1) * batch.length);
      matrix.influence[sample] = sumOf(own);
      const start = this.#starts[sample];
      const length = Math.min(batch.lengths[row], this.#request.train[sample].tokens.length);
      for (let t = 0; t < length; t++) tokens[start + t] += own[t];
    });
  }

  #tokensOf(layer: number): Float32Array {
    const known = this.#tokens.get(layer);
    if (known) return known;
    const made = new Float32Array(this.#tokenCount);
    this.#tokens.set(layer, made);
    return made;
  }

  #dropped({ captures }: CapturedBatch): void {
    for (const { batches } of captures) {
      for (const { x, y } of batches) this.#bytes += 4 * (x.data.length + y.data.length);
      batches.length = 0;
    }
    if (this.#bytes < GARBAGE) return;
    this.#bytes = 0;
    collectGarbage();
  }
}

function samplesOf({ captures }: CapturedBatch): number[] {
  return captures.flatMap(({ batches }) => batches)[0]?.batch.samples ?? [];
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
