/**
 * What an interrupted run leaves behind, one folder per task: the Grams of every finished layer and, from time to time, the
 * cotangent at the lowest finished boundary with the losses. All files are written atomically. A later run with the same
 * folder goes on from that boundary; its forward sweep runs again.
 */
import fs from 'node:fs';
import path from 'node:path';
import { readSafetensors, writeSafetensors } from '../checkpoints/safetensors.ts';
import type { Batch } from './batch.ts';
import type { ModuleGrams } from './grams.ts';
import { floats, numbers } from './runtime.ts';
import type { Tensor } from './runtime.ts';

export interface Boundary {
  /** All scored layers from this one up are finished; the cotangents belong to this layer's input. */
  layer: number;
  cotangents: Tensor[];
  trainLoss: Float64Array;
  validationLoss: Float64Array;
}

export class PartialRun {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
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
    const tensors = [...grams].flatMap(([module, { K, C, diagV, ekfac }]) => {
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
    writeSafetensors(this.layerFile(layer), tensors);
  }

  writeBoundary(boundary: Boundary, batches: Batch[]): void {
    writeSafetensors(
      this.#boundaryFile(),
      [
        ...boundary.cotangents.map((tensor, i) => ({
          name: `cotangent.${i}`,
          dtype: 'F32' as const,
          shape: [...tensor.dims],
          data: numbers(tensor),
        })),
        { name: 'loss.train', dtype: 'F64' as const, shape: [boundary.trainLoss.length], data: boundary.trainLoss },
        {
          name: 'loss.validation',
          dtype: 'F64' as const,
          shape: [boundary.validationLoss.length],
          data: boundary.validationLoss,
        },
      ],
      { layer: String(boundary.layer), batches: composition(batches) },
    );
  }

  /** What was reached, or null when there is nothing that fits these batches. */
  readBoundary(batches: Batch[]): Boundary | null {
    if (!fs.existsSync(this.#boundaryFile())) return null;
    const file = readSafetensors(this.#boundaryFile());
    if (file.metadata.batches !== composition(batches)) return null;
    return {
      layer: Number(file.metadata.layer),
      cotangents: batches.map((batch, i) => {
        const data = file.tensor(`cotangent.${i}`) as Float32Array;
        return floats(data, [batch.samples.length, batch.length, data.length / (batch.samples.length * batch.length)]);
      }),
      trainLoss: file.tensor('loss.train') as Float64Array,
      validationLoss: file.tensor('loss.validation') as Float64Array,
    };
  }

  #boundaryFile(): string {
    return path.join(this.#folder, 'cotangent.safetensors');
  }
}

function composition(batches: Batch[]): string {
  return JSON.stringify(batches.map(({ split, samples, length }) => [split, length, samples]));
}
