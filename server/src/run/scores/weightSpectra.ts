/**
 * Tail exponents of all weight matrices of a model, for AlphaLoRA and AlphaPruning. They depend on the weights alone and take a while
 * (0.3 CPU seconds for a 576 x 1536 matrix, growing with the smaller side's square times the larger), so they are kept beside the result
 * and continued after an interruption, layer by layer.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { TailFit } from '../../../../protocol/allocation.ts';
import type { LayerInput } from '../../allocation/layers.ts';
import { squaredSingularValues } from '../../linear/eigenvalues.ts';
import { tailExponents } from '../../allocation/tailExponent.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import type { Architecture } from '../../models/types.ts';
import { writeJson } from '../files/results.ts';

const SUFFIX = '.layerif-spectrum.json';

/** Exponents by module; null for a matrix too small to have a tail. */
export type LayerExponents = Record<string, Record<TailFit, number | null>>;

interface SpectrumFile {
  format: 'layerif-spectrum';
  version: 1;
  modelSha256: string;
  /** From layer 0 on; shorter after an interruption. */
  layers: LayerExponents[];
}

export interface SpectrumOptions {
  resultFile: string;
  /** Of the result: what is kept for another model is not used. */
  modelSha256: string;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Refuses larger matrices (smaller side) that are not kept yet: for a process that must keep answering. */
  largestSide?: number | undefined;
}

/**
 * @param open gives the checkpoint when something is left to compute
 * @throws LayerifError `badModel` for weights that are not finite, `cancelled`, `badRequest` above `largestSide`
 */
export async function modelExponents(
  layers: readonly LayerInput[],
  open: () => { checkpoint: Checkpoint; model: Architecture },
  options: SpectrumOptions,
): Promise<LayerExponents[]> {
  const file = spectrumFile(options.resultFile);
  const known = readKnown(file, options.modelSha256, layers);
  if (known.length === layers.length) return known;
  const side = Math.max(...layers.flatMap(({ modules }) => modules.map((m) => Math.min(m.rows, m.columns))));
  if (options.largestSide !== undefined && side > options.largestSide) {
    throw new LayerifError(
      'badRequest',
      `the spectra of matrices with ${side} rows take long: run layerif allocate ${path.basename(options.resultFile)} --rule alphalora once in a terminal, they are kept beside the result`,
    );
  }
  const { checkpoint, model } = open();
  for (const { index, name, modules } of layers.slice(known.length)) {
    const found: LayerExponents = {};
    for (const { name: module, rows, columns } of modules) {
      options.signal?.throwIfAborted();
      const tensor = `${name}.${module}.weight`;
      const transposed = model.modules(index).find((m) => m.name === module)?.transposed ?? false;
      try {
        const weights = checkpoint.read(tensor);
        const squares = transposed
          ? squaredSingularValues(weights, columns, rows)
          : squaredSingularValues(weights, rows, columns);
        const { mid, peak } = tailExponents(squares);
        found[module] = { mid: finite(mid), peak: finite(peak) };
      } catch (error) {
        if (error instanceof LayerifError) throw error;
        throw new LayerifError('badModel', `${checkpoint.path}: tensor ${tensor}: ${(error as Error).message}`, {
          cause: error,
        });
      }
      await turn();
    }
    known.push(found);
    writeJson(file, {
      format: 'layerif-spectrum',
      version: 1,
      modelSha256: options.modelSha256,
      layers: known,
    } satisfies SpectrumFile);
    options.onProgress?.({ done: known.length, total: layers.length, message: `spectrum of layer ${index}` });
  }
  return known;
}

function spectrumFile(resultFile: string): string {
  return resultFile.replace(/(\.layerif-result)?\.json$/, SUFFIX);
}

function readKnown(file: string, modelSha256: string, layers: readonly LayerInput[]): LayerExponents[] {
  try {
    const kept = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<SpectrumFile>;
    if (kept.format !== 'layerif-spectrum' || kept.version !== 1 || kept.modelSha256 !== modelSha256) return [];
    const fits = kept.layers?.every((layer, l) => layers[l]?.modules.every(({ name }) => name in layer));
    return fits ? kept.layers! : [];
  } catch {
    return []; // nothing is kept, or nothing that can be used: it is computed again
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
