/**
 * What an interrupted run leaves behind, one folder per task: the Grams of every finished layer and, from time to time, the
 * cotangent at the lowest finished boundary with the losses. All files are written atomically. A later run with the same
 * folder goes on from that boundary; its forward sweep runs again.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { CollectPlan } from '../../../../protocol/engine.ts';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { ModuleGrams } from './grams.ts';
import { floats, numbers } from '../runtime/runtime.ts';

/** What decides whether two runs compute the same numbers in the same order. */
export interface Composition extends Pick<CollectPlan, 'projection' | 'check'> {
  batches: Batch[];
}

export interface Boundary {
  /** All scored layers from this one up are finished; the cotangents belong to this layer's input. */
  layer: number;
  train: Float64Array;
  validation: Float64Array;
}

export class PartialRun {
  readonly #folder: string;
  readonly #batches: Batch[];
  readonly #composition: string;

  constructor(folder: string, { batches, projection, check }: Composition) {
    this.#folder = folder;
    this.#batches = batches;
    const order = batches.map(({ split, samples, length }) => [split, length, samples]);
    this.#composition = JSON.stringify({ order, projection, check });
    fs.mkdirSync(folder, { recursive: true });
  }

  layerFile(layer: number): string {
    return path.join(this.#folder, `layer-${layer}.safetensors`);
  }

  hasLayer(layer: number): boolean {
    return fs.existsSync(this.layerFile(layer));
  }

  /** @param grams by module name */
  writeLayer(layer: number, grams: Map<string, ModuleGrams>): void {
    writeSafetensors(this.layerFile(layer), tensorsOf(layer, grams));
  }

  /** Exact Grams of the samples of the projection's check. */
  writeCheck(layer: number, grams: Map<string, ModuleGrams>): void {
    writeSafetensors(path.join(this.#folder, `check-${layer}.safetensors`), tensorsOf(layer, grams));
  }

  writeBoundary({ layer, train, validation }: Boundary, cotangents: Activations): void {
    const hidden = cotangents.at(0)!.dims[2];
    writeSafetensors(
      this.#boundaryFile(),
      [
        ...this.#batches.map((batch, i) => ({
          name: `cotangent.${i}`,
          dtype: 'F32' as const,
          shape: [batch.samples.length, batch.length, hidden],
          data: () => numbers(cotangents.at(i)!),
        })),
        { name: 'loss.train', dtype: 'F64' as const, shape: [train.length], data: train },
        { name: 'loss.validation', dtype: 'F64' as const, shape: [validation.length], data: validation },
      ],
      { layer: String(layer), composition: this.#composition },
    );
  }

  hasState(): boolean {
    return fs.existsSync(this.#boundaryFile());
  }

  /** What was reached, or null when there is nothing that fits this run. */
  reached(): (Boundary & { readCotangents(into: Activations): void }) | null {
    if (!this.hasState()) return null;
    const file = readSafetensors(this.#boundaryFile());
    if (file.metadata.composition !== this.#composition) return null;
    return {
      layer: Number(file.metadata.layer),
      train: file.tensor('loss.train') as Float64Array,
      validation: file.tensor('loss.validation') as Float64Array,
      readCotangents: (into) => {
        for (const [i, { samples, length }] of this.#batches.entries()) {
          const data = file.tensor(`cotangent.${i}`) as Float32Array;
          into.push(floats(data, [samples.length, length, data.length / (samples.length * length)]));
        }
      },
    };
  }

  #boundaryFile(): string {
    return path.join(this.#folder, 'cotangent.safetensors');
  }
}

function tensorsOf(layer: number, grams: Map<string, ModuleGrams>): NewTensor[] {
  return [...grams].flatMap(([module, { K, C, diagV, ekfac }]) => {
    const n = Math.sqrt(K.length);
    const m = diagV.length;
    const tensor = (name: string, shape: number[], data: Float64Array) => ({
      name: `${layer}.${module}.${name}`,
      dtype: 'F64' as const,
      shape,
      data,
    });
    const own = [tensor('K', [n, n], K), tensor('C', [n, m], C), tensor('diagV', [m], diagV)];
    if (!ekfac) return own;
    const { B, dampings, meanEigenvalue } = ekfac;
    return [
      ...own,
      tensor('ekfac.B', [dampings.length, n, m], B),
      tensor('ekfac.damping', [dampings.length], dampings),
      tensor('ekfac.mean_eigenvalue', [1], Float64Array.of(meanEigenvalue)),
    ];
  });
}
