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
import { isGradientObservation, observationOf, textBatches } from '../../scores/observations.ts';
import type { ObservationSpec, ObservedShape } from '../../scores/observations.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import { gradientReducerOf } from './gradientReducers.ts';
import { capturedMatrix } from './capturedMatrix.ts';
import type { KnownGradients } from './capturedMatrix.ts';
import type { DealtSums } from './dealtSums.ts';
import type { CapturedMatrix } from './gradientReducer.ts';
import type { GradientSums } from './gradientSums.ts';
import { WorkMemory } from './workMemory.ts';

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
  /** Into how many batches of texts it deals them; undefined where it sums nothing. */
  batches: number | undefined;
  tensors: Tensors;
  fold: (matrix: CapturedMatrix) => Promise<void>;
}

export class ObservedGradients {
  readonly #options: ObservedGradientsOptions;
  readonly #opened: Opened[] = [];
  readonly #memory = new WorkMemory();
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
      const batches = 'batches' in chosen ? textBatches(shape, chosen) : undefined;
      const fold = gradientReducerOf(of).open({ options: chosen, shape, tensors });
      this.#opened.push({ name, batches, tensors, fold });
    }
  }

  /** Takes sums from the tiles of a module's Gram products; undefined where nothing needs them. */
  dealt({ layer, module, rows, columns, batches }: ModuleCaptures): DealtSums | undefined {
    const { sums, keepGradients } = this.#options;
    const counts = new Set(this.#opened.flatMap(({ batches: count }) => count ?? []));
    if (keepGradients) counts.add(1);
    if (counts.size === 0 || !this.#observes(layer, module)) return undefined;
    const order = batches.map(({ batch }) => batch);
    return sums.dealt({ rows, columns }, [...counts], order, this.#memory);
  }

  /** @param known what has been made of the same captures already */
  async see(captures: ModuleCaptures, known: KnownGradients = {}): Promise<void> {
    const { layer, module, rows, columns } = captures;
    const { shape, sums, weight, keepGradients } = this.#options;
    if (!this.#observes(layer, module)) return;
    const tools = { sums, memory: this.#memory, texts: shape.texts, weight: () => weight(layer, module) };
    const matrix = capturedMatrix(captures, tools, known);
    for (const { fold } of this.#opened) await fold(matrix);
    if (!keepGradients) return;
    const mean = new Float32Array(rows * columns);
    (await matrix.summed(1)).total.forEach((value, entry) => (mean[matrix.place(entry)] = value / shape.texts));
    this.#gradients.push({ name: module, dtype: 'F32', shape: [rows, columns], data: mean });
  }

  #observes(layer: number, module: string): boolean {
    return this.#opened.length > 0 && this.#options.shape.modules(layer).some(({ name }) => name === module);
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
