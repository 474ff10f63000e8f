/**
 * What is computed from a segment's captures while they exist: Grams of every scored module, with `ekfac` its
 * influence, observations of the training samples' gradients, and for projected captures the exact Grams of a few
 * batches, which tell the projection's error. Captures are dropped as they are used.
 */
import type { CollectRequest } from '../../../../protocol/engine.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import { EkfacProducts } from './ekfac.ts';
import type { DealtSums } from './dealtSums.ts';
import type { GradientTile } from './gradientTiles.ts';
import { GramProducts } from './grams.ts';
import type { ModuleGrams } from './grams.ts';
import { KnownReader } from './knownGrams.ts';
import { collectGarbage } from '../runtime/garbage.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { Model } from '../sweep/model.ts';
import { Projection } from '../sweep/projection.ts';
import type { Segment } from '../sweep/chain.ts';
import { backwardSegment } from '../sweep/sweep.ts';
import type { ObservedGradients } from './observedGradients.ts';
import { blockCaptures } from './weightBlocks.ts';

/** Captures worth a garbage collection: ONNX Runtime's memory comes back only with the objects that hold it. */
const LARGE_CAPTURES = 1 << 26;

export interface LayerGrams {
  layer: number;
  /** By module name. */
  grams: Map<string, ModuleGrams>;
  /** Exact Grams of the samples of `plan.check`, in its order; null for exact runs. */
  exact: Map<string, ModuleGrams> | null;
  /** With `plan.sums`: influence of every token of the training samples. */
  tokens?: Float32Array | undefined;
}

export class LayerReaders {
  /** Wall-clock seconds spent on captures. */
  gramSeconds = 0;
  readonly #model: Model;
  readonly #request: CollectRequest;
  readonly #batches: Batch[];
  readonly #projection: Projection | null;
  readonly #products: GramProducts;
  readonly #ekfac: EkfacProducts | null;
  readonly #observed: ObservedGradients;
  readonly #scored: (layer: number, module: string) => boolean;
  readonly #known: KnownReader | null;

  private constructor(
    model: Model,
    request: CollectRequest,
    batches: Batch[],
    products: GramProducts,
    ekfac: EkfacProducts | null,
    observed: ObservedGradients,
  ) {
    this.#model = model;
    this.#request = request;
    this.#batches = batches;
    this.#products = products;
    this.#ekfac = ekfac;
    this.#observed = observed;
    const { projection } = request.plan;
    this.#known = request.known ? new KnownReader(request.known) : null;
    this.#projection = projection && new Projection(model.architecture, projection);
    const modules = new Set(request.modules);
    this.#scored = (layer, module) => request.layers.includes(layer) && modules.has(module);
  }

  static async create(
    model: Model,
    request: CollectRequest,
    batches: Batch[],
    observed: ObservedGradients,
  ): Promise<LayerReaders> {
    const ekfac = request.ekfac ? await EkfacProducts.create(model.runtime) : null;
    return new LayerReaders(
      model,
      request,
      batches,
      await model.kept('grams', () => GramProducts.create(model.runtime)),
      ekfac,
      observed,
    );
  }

  /**
   * Runs all batches backward through one segment.
   * @param dx where the cotangents of its inputs go; null where nobody needs them
   */
  async read(
    segment: Segment,
    inputs: Activations,
    cotangents: Activations,
    dx: Activations | null,
  ): Promise<LayerGrams[]> {
    const { train, validation } = this.#request;
    const options = { projection: this.#projection, ...(dx ? { dx } : {}) };
    const { captures } = await backwardSegment(
      this.#model,
      this.#batches,
      segment,
      inputs,
      cotangents,
      this.#scored,
      dx !== null,
      () => undefined,
      options,
    );
    const grams = await this.#grams(captures, train.length, validation.length, true);
    const exact = this.#projection ? await this.#exact(segment, inputs, cotangents) : null;
    return [...grams].map(([layer, own]) => ({ layer, grams: own, exact: exact?.get(layer) ?? null }));
  }

  /** Exact Grams of the batches of `plan.check`. */
  async #exact(
    segment: Segment,
    inputs: Activations,
    cotangents: Activations,
  ): Promise<Map<number, Map<string, ModuleGrams>> | null> {
    const { check } = this.#request.plan;
    if (!check) return null;
    let size = { train: 0, validation: 0 };
    const chosen = (['train', 'validation'] as const).flatMap((split) => {
      const own = this.#batches.flatMap((batch, index) => (batch.split === split ? [{ batch, index }] : []));
      return check[split].map((position) => own[position]);
    });
    const batches = chosen.map(({ batch }) => {
      if (batch.split === 'fisher') throw new Error('a batch of drawn labels cannot be checked');
      const first = size[batch.split];
      size = { ...size, [batch.split]: first + batch.samples.length };
      return { ...batch, samples: batch.samples.map((_, i) => first + i) };
    });
    const { captures } = await backwardSegment(
      this.#model,
      batches,
      segment,
      chosen.map(({ index }) => inputs.at(index)!),
      chosen.map(({ index }) => cotangents.at(index)!),
      this.#scored,
      false,
      () => undefined,
    );
    return this.#grams(captures, size.train, size.validation, false);
  }

  /** @param own whether these are the run's captures, not those of a check */
  async #grams(
    captures: ModuleCaptures[],
    train: number,
    validation: number,
    own: boolean,
  ): Promise<Map<number, Map<string, ModuleGrams>>> {
    const start = performance.now();
    const { plan, ekfac: asked, grams: wanted = true, blocks } = this.#request;
    const byLayer = new Map<number, Map<string, ModuleGrams>>();
    let bytes = 0;
    for (const capture of captures) {
      bytes += capture.batches.reduce((sum, { x, y }) => sum + 4 * (x.data.length + y.data.length), 0);
      if (!byLayer.has(capture.layer)) byLayer.set(capture.layer, new Map());
      let squares: Float64Array | undefined;
      let dealt: DealtSums | undefined;
      for (const block of wanted ? blockCaptures(capture, blocks) : []) {
        const curvature =
          this.#ekfac && own ? await this.#ekfac.of(block, train, validation, plan.gradientTile, asked!) : undefined;
        const real = { ...block, batches: block.batches.filter(({ batch }) => batch.split !== 'fisher') };
        if (own && block === capture) dealt = this.#observed.dealt(real);
        const see = dealt && ((tile: GradientTile) => dealt!.see(tile));
        const known = own && !dealt ? this.#request.known : undefined; // sums are dealt in the order of the captures
        const grams = await this.#products.of(real, train, validation, plan.gradientTile, { known, see });
        if (known) this.#known?.fill(capture.layer, block.module, grams);
        byLayer.get(capture.layer)!.set(block.module, { ...grams, ekfac: curvature });
        if (block === capture) squares = Float64Array.from({ length: train }, (_, i) => grams.K[i * train + i]);
      }
      if (own) await this.#observed.see(capture, { squares, dealt: dealt?.complete ? dealt : undefined });
      capture.batches.length = 0; // the captures are large: let them go as soon as they are used
    }
    this.#products.rest();
    if (bytes > LARGE_CAPTURES) collectGarbage();
    this.gramSeconds += (performance.now() - start) / 1000;
    return byLayer;
  }

  async release(): Promise<void> {
    await this.#ekfac?.release();
  }
}
