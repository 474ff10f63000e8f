/**
 * The linear mode's captures of a segment: batches run backward one by one and are let go, so that memory does not grow
 * with the samples. Stands in the backward sweep where `LayerReaders` stands for Grams.
 */
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { Segment } from '../sweep/chain.ts';
import type { Model } from '../sweep/model.ts';
import { backwardSegment } from '../sweep/sweep.ts';
import type { LayerGrams } from './layerReaders.ts';
import { LinearMode } from './linearMode.ts';
import type { CapturedBatch, CaptureSource, SumsRequest } from './linearMode.ts';

export class LinearReaders {
  /** Wall-clock seconds spent on captures. */
  gramSeconds = 0;
  readonly #model: Model;
  readonly #request: SumsRequest;
  readonly #batches: readonly Batch[];
  readonly #mode: LinearMode;
  readonly #scored: (layer: number, module: string) => boolean;

  private constructor(model: Model, request: SumsRequest, batches: readonly Batch[], mode: LinearMode) {
    this.#model = model;
    this.#request = request;
    this.#batches = batches;
    this.#mode = mode;
    const modules = new Set(request.modules);
    this.#scored = (layer, module) => request.layers.includes(layer) && modules.has(module);
  }

  /** @param batches those of the validation split first */
  static async create(model: Model, request: SumsRequest, batches: readonly Batch[]): Promise<LinearReaders> {
    const mode = await model.kept('linear mode', () => LinearMode.create(model.runtime));
    return new LinearReaders(model, request, batches, mode);
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
    const start = performance.now();
    let sweeping = 0;
    const places = { train: [] as number[], validation: [] as number[] };
    this.#batches.forEach(({ split }, at) => places[split as 'train'].push(at));
    const run = async (at: number, into: Activations | null) => {
      const began = performance.now();
      const { captures } = await backwardSegment(
        this.#model,
        [this.#batches[at]],
        segment,
        [inputs.at(at)!],
        [cotangents.at(at)!],
        this.#scored,
        into !== null,
        () => undefined,
        into ? { dx: into } : {},
      );
      sweeping += performance.now() - began;
      return captures;
    };
    const each = async function* (
      indices: Iterable<number>,
      split: 'train' | 'validation',
      into: Activations | null,
    ): AsyncGenerator<CapturedBatch> {
      for (const index of indices) yield { index, captures: await run(places[split][index], into) };
    };
    const source: CaptureSource = {
      first: (split) => each(places[split].keys(), split, dx),
      again: (indices) => each(indices, 'train', null),
    };
    const layers = await this.#mode.of(source, this.#request);
    this.gramSeconds += (performance.now() - start - sweeping) / 1000;
    return layers.map(({ layer, grams, tokens }) => ({ layer, grams, exact: null, tokens }));
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}
