/**
 * Observations of gradients beside the Grams: every module's captures go to the reducers before they are let go, and the numbers of a
 * finished layer are on disk before its Grams are, so that an interrupted run goes on with both. What an earlier run had not observed of
 * its finished layers is left out here, and made by a sweep of its own.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AskedObservation, Tensors } from '../../../../protocol/scores.ts';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { observationOf, isGradientObservation } from '../../scores/observations.ts';
import type { ObservedShape } from '../../scores/observations.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import { gradientReducerOf } from './gradientReducers.ts';
import type { CapturedMatrix } from './gradientReducer.ts';
import type { GradientSums } from './gradientSums.ts';

export interface ObservedGradientsOptions {
  asked: readonly AskedObservation[];
  /** Of the texts: the training samples. */
  shape: ObservedShape;
  sums: GradientSums;
  /** A module's weight as the model has it, [rows, columns]. */
  weight: (layer: number, module: string) => Float32Array;
  /** Where finished layers lie. */
  folder: string;
}

interface Opened {
  name: string;
  tensors: Tensors;
  fold: (matrix: CapturedMatrix) => Promise<void>;
}

export class ObservedGradients {
  readonly #options: ObservedGradientsOptions;
  readonly #opened: Opened[] = [];

  /** @param finished layers that an interrupted run has left behind */
  constructor(options: ObservedGradientsOptions, finished: readonly number[]) {
    this.#options = options;
    const { asked, shape } = options;
    for (const { name, of, options: chosen } of asked) {
      if (!isGradientObservation(of) || !finished.every((layer) => fs.existsSync(this.#file(name, layer)))) continue;
      const tensors = zeros(observationOf(of).tensors(shape, chosen));
      for (const layer of finished) {
        const { tensor } = readSafetensors(this.#file(name, layer));
        for (const one of ofLayer(tensors, layer)) tensors[one].data.set(tensor(one) as Float64Array);
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
  }

  /** Before the layer's Grams are written. */
  write(layer: number): void {
    this.#options.sums.rest();
    for (const { name, tensors } of this.#opened) {
      writeSafetensors(
        this.#file(name, layer),
        ofLayer(tensors, layer).map((one) => {
          const { shape, data } = tensors[one];
          return { name: one, dtype: 'F64' as const, shape, data };
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

/** Names of the tensors of a layer: `<layer>.<module>`, behind `<name>/` where there are several. */
function ofLayer(tensors: Tensors, layer: number): string[] {
  return Object.keys(tensors).filter((name) => name.slice(name.indexOf('/') + 1).startsWith(`${layer}.`));
}

/** Numbers of an observation before anything is seen. @param shapes by name @param singles in float32 */
export function zeros(shapes: Record<string, number[]>, singles: readonly string[] = []): Tensors {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, { shape, data: singles.includes(name) ? new Float32Array(size) : new Float64Array(size) }];
    }),
  );
}
