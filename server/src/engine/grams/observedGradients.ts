/**
 * Observations of gradients beside the Grams: every module's captures go to the reducers before they are let go, and
 * the numbers of a finished layer are on disk before its Grams are, so that an interrupted run goes on with both. What
 * an earlier run had not observed of its finished layers is left out here, and made by a sweep of its own.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AskedObservation, Json, Tensors } from '../../../../protocol/scores.ts';
import { dtypeOf, readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { numberBytes } from '../../scores/observationCosts.ts';
import { isGradientObservation, observationOf } from '../../scores/observations.ts';
import type { ObservationSpec, ObservedShape } from '../../scores/observations.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import { gradientReducerOf } from './gradientReducers.ts';
import type { CapturedMatrix } from './gradientReducer.ts';
import type { GradientSums } from './gradientSums.ts';
import { addedUp } from './weightedGradients.ts';

export interface ObservedGradientsOptions {
  asked: readonly AskedObservation[];
  /** Of the texts: the training samples. */
  shape: ObservedShape;
  sums: GradientSums;
  /** A module's weight as the model has it, [rows, columns]. */
  weight: (layer: number, module: string) => Float32Array;
  /** Where finished layers lie. */
  folder: string;
  /** Whether the mean gradient of each matrix is kept there too, `gradient-<layer>.safetensors`. */
  keepGradients: boolean;
}

interface Opened {
  name: string;
  tensors: Tensors;
  fold: (matrix: CapturedMatrix) => Promise<void>;
}

export class ObservedGradients {
  readonly #options: ObservedGradientsOptions;
  readonly #opened: Opened[] = [];
  #gradients: NewTensor[] = [];

  /** @param finished layers that an interrupted run has left behind */
  constructor(options: ObservedGradientsOptions, finished: readonly number[]) {
    this.#options = options;
    const { asked, shape } = options;
    for (const { name, of, options: chosen } of asked) {
      if (!isGradientObservation(of) || !finished.every((layer) => fs.existsSync(this.#file(name, layer)))) continue;
      const tensors = zeros(observationOf(of), shape, chosen);
      for (const layer of finished) {
        const { tensor } = readSafetensors(this.#file(name, layer));
        for (const one of ofLayer(tensors, layer)) tensors[one].data.set(tensor(one) as Float64Array | Uint8Array);
      }
      this.#opened.push({ name, tensors, fold: gradientReducerOf(of).open({ options: chosen, shape, tensors }) });
    }
  }

  /** @param squares squared norms of the texts' gradients, where they are known */
  async see({ layer, module, rows, columns, batches }: ModuleCaptures, squares?: Float64Array): Promise<void> {
    const { shape, sums, weight } = this.#options;
    if (this.#opened.length === 0 || !shape.modules(layer).some(({ name }) => name === module)) return;
    const parts = batches.filter(({ batch }) => batch.split === 'train');
    let kept: { count: number; sums: Float32Array[] } | null = null;
    const matrix: CapturedMatrix = {
      layer,
      module,
      weight: () => weight(layer, module),
      sums: async (count) => {
        if (kept?.count !== count) kept = { count, sums: await sums.sums({ rows, columns }, parts, count) };
        return kept.sums;
      },
      squaredNorms: async () => squares ?? (await sums.squaredNorms({ rows, columns }, parts, shape.texts)),
    };
    for (const { fold } of this.#opened) await fold(matrix);
    if (!this.#options.keepGradients) return;
    const mean = addedUp(await matrix.sums(1)).map((value) => value / shape.texts);
    this.#gradients.push({ name: module, dtype: 'F32', shape: [rows, columns], data: Float32Array.from(mean) });
  }

  /** Before the layer's Grams are written. */
  write(layer: number): void {
    this.#options.sums.rest();
    if (this.#options.keepGradients) writeSafetensors(gradientFile(this.#options.folder, layer), this.#gradients);
    this.#gradients = [];
    for (const { name, tensors } of this.#opened) {
      writeSafetensors(
        this.#file(name, layer),
        ofLayer(tensors, layer).map((one) => {
          const { shape, data } = tensors[one];
          return { name: one, dtype: dtypeOf(data), shape, data };
        }),
      );
    }
  }

  get found(): Record<string, Tensors> {
    return Object.fromEntries(this.#opened.map(({ name, tensors }) => [name, tensors]));
  }

  #file(name: string, layer: number): string {
    return path.join(this.#options.folder, `observed-${name}-${layer}.safetensors`);
  }
}

/** Mean gradient of each matrix of a layer by module, [rows, columns]. */
export function gradientFile(folder: string, layer: number): string {
  return path.join(folder, `gradient-${layer}.safetensors`);
}

/** Names of the tensors of a layer: `<layer>.<module>`, behind `<name>/` where there are several. */
function ofLayer(tensors: Tensors, layer: number): string[] {
  return Object.keys(tensors).filter((name) => name.slice(name.indexOf('/') + 1).startsWith(`${layer}.`));
}

const arrays = { 1: Uint8Array, 4: Float32Array, 8: Float64Array };

/** Numbers of an observation before anything is seen. */
export function zeros(spec: ObservationSpec, shape: ObservedShape, options: Record<string, Json>): Tensors {
  return Object.fromEntries(
    Object.entries(spec.tensors(shape, options)).map(([name, dims]) => {
      const size = dims.reduce((a, b) => a * b, 1);
      return [name, { shape: dims, data: new arrays[numberBytes(spec, name)](size) }];
    }),
  );
}
