/**
 * What an interrupted run leaves behind, one folder per task: the Grams of every finished layer and, from time to time,
 * the cotangent at the lowest finished boundary with the losses. All files are written atomically. A later run with the
 * same folder goes on from that boundary; its forward sweep runs again. The folder says what its numbers are of: what
 * is found there of another composition is removed before anything is written, so that a layer of one is never taken
 * for a layer of the other.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { CollectPlan, CollectRequest } from '../../../../protocol/engine.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { ModuleGrams } from './grams.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import { makeFolders } from '../../files/writing.ts';

/** What decides whether two runs compute the same numbers in the same order. */
export interface Composition
  extends
    Pick<CollectPlan, 'projection' | 'check' | 'sums' | 'gradientTile' | 'headRows'>,
    Pick<
      CollectRequest,
      'modelPath' | 'adapter' | 'graph' | 'modules' | 'blocks' | 'ekfac' | 'known' | 'grams' | 'keepGradients' | 'moved'
    > {
  /** Of a decoder's sweep, in their order; a user's graph runs its samples one by one. */
  batches: readonly Batch[];
}

/** What a user is told of it. */
export const DISCARDED =
  'the interrupted run had computed its layers by another plan; they are removed and computed anew, so that no two plans mix';

/** In the folder from the first moment on. */
const COMPOSITION_FILE = 'composition.json';

export interface Boundary {
  /** All scored layers from this one up are finished; the cotangents belong to this layer's input. */
  layer: number;
  train: Float64Array;
  validation: Float64Array;
}

export class PartialRun {
  readonly #folder: string;
  readonly #batches: readonly Batch[];
  /** Whether something of another composition was there, and is no more. */
  readonly discarded: boolean;

  constructor(folder: string, { plan, ...request }: CollectRequest, batches: readonly Batch[]) {
    this.#folder = folder;
    this.#batches = batches;
    makeFolders(folder);
    this.discarded = this.#settle(compositionOf({ ...request, ...plan, batches }));
  }

  #settle(composition: string): boolean {
    const file = path.join(this.#folder, COMPOSITION_FILE);
    if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === composition) return false;
    // The word of the old composition goes last, lest its rest be taken for ours.
    const unfit = fs.readdirSync(this.#folder).filter((name) => name !== COMPOSITION_FILE);
    for (const name of [...unfit, COMPOSITION_FILE])
      fs.rmSync(path.join(this.#folder, name), { recursive: true, force: true });
    writeAtomically(file, [Buffer.from(composition)]);
    return unfit.length > 0;
  }

  layerFile(layer: number): string {
    return path.join(this.#folder, `layer-${layer}.safetensors`);
  }

  hasLayer(layer: number): boolean {
    return fs.existsSync(this.layerFile(layer));
  }

  /**
   * @param grams by module name
   * @param tokens influence of every token of the training samples, where that is known
   */
  writeLayer(layer: number, grams: Map<string, ModuleGrams>, tokens?: Float32Array): void {
    const own: NewTensor[] = tokens
      ? [{ name: `${layer}.token_influence`, dtype: 'F32', shape: [tokens.length], data: tokens }]
      : [];
    writeSafetensors(this.layerFile(layer), [...tensorsOf(layer, grams), ...own]);
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
      { layer: String(layer) },
    );
  }

  /** What was reached, or null when there is no saved boundary. */
  reached(): (Boundary & { readCotangents(into: Activations): void }) | null {
    if (!fs.existsSync(this.#boundaryFile())) return null;
    const file = readSafetensors(this.#boundaryFile());
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

function compositionOf(c: Composition): string {
  const order = c.batches.map(({ split, samples, length }) => [split, length, samples]);
  const {
    modelPath,
    adapter,
    graph,
    modules,
    blocks,
    ekfac,
    known,
    grams,
    keepGradients,
    moved,
    projection,
    check,
    sums,
    gradientTile,
    headRows,
  } = c;
  const own = { modelPath, adapter, graph, modules, blocks, ekfac, known, grams, keepGradients, moved };
  const parts = { ...own, projection, check, sums, gradientTile, headRows, order };
  return JSON.stringify(parts);
}

function tensorsOf(layer: number, grams: Map<string, ModuleGrams>): NewTensor[] {
  return [...grams].flatMap(([module, { K, C, diagV, ekfac, sums }]) => {
    const n = Math.sqrt(K.length);
    const m = diagV.length;
    const tensor = (name: string, shape: number[], data: Float64Array) => ({
      name: `${layer}.${module}.${name}`,
      dtype: 'F64' as const,
      shape,
      data,
    });
    const own = [tensor('K', [n, n], K), tensor('C', [n, m], C), tensor('diagV', [m], diagV)];
    if (sums) {
      const { influence, trainSquares, validationSquares, damping } = sums;
      own.push(
        tensor('sums.influence', [influence.length], influence),
        tensor('sums.train_squares', [trainSquares.length], trainSquares),
        tensor('sums.validation_squares', [validationSquares.length], validationSquares),
        tensor('sums.damping', [1], Float64Array.of(damping ?? NaN)),
      );
    }
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
