/**
 * Grams on disk. While a run is under way there is one file per finished layer; at the end they become one
 * `grams.safetensors` with the tensors `<task>/<layer>.<module>.{K,C,diagV,parameters}`, float64, readable from Python;
 * with the estimator `ekfac` also `ekfac.B`, `ekfac.damping` and `ekfac.mean_eigenvalue`, with `tracin` also `tracin.C`
 * and `tracin.learning_rate`. Of a run by sums K, C and diagV are those of the subsample, and beside them are
 * `sums.influence`, `sums.train_squares`, `sums.validation_squares`, `sums.damping` of all samples, and per layer, in
 * float32, `token_influence`.
 */
import fs from 'node:fs';
import { LayerifError } from '../../../../protocol/errors.ts';
import { openSafetensors, readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import type { NewTensor } from '../../checkpoints/safetensors.ts';
import type { ModuleGrams } from '../../estimators/layerScores.ts';
import { cannotWrite } from '../../files/writing.ts';
import { faultWords } from '../../files/reading.ts';

type Stored = ReturnType<typeof readSafetensors>;

/** @param parametersOf number of weights of a module */
export function readLayerGrams(
  file: string,
  layer: number,
  modules: readonly string[],
  parametersOf: (module: string) => number,
): ModuleGrams[] {
  const tensors = readSafetensors(file);
  const names = new Set(tensors.names());
  return modules.map((module) => gramsOf(tensors, names, `${layer}.${module}.`, module, parametersOf(module)));
}

function gramsOf(
  tensors: Pick<Stored, 'tensor'>,
  names: ReadonlySet<string>,
  prefix: string,
  module: string,
  parameters: number,
): ModuleGrams {
  const get = (name: string) => tensors.tensor(prefix + name) as Float64Array;
  const has = (name: string) => names.has(prefix + name);
  const [K, C, diagV] = [get('K'), get('C'), get('diagV')];
  const n = Math.round(Math.sqrt(K.length));
  const ekfac = has('ekfac.B')
    ? { B: get('ekfac.B'), dampings: get('ekfac.damping'), meanEigenvalue: numberOf(get('ekfac.mean_eigenvalue')) }
    : undefined;
  const checkpoints = has('tracin.C') ? { C: get('tracin.C'), learningRates: get('tracin.learning_rate') } : undefined;
  const grams = { n, m: diagV.length, parameters, K, C, diagV, ekfac, checkpoints };
  if (!has('sums.influence')) return { module, grams };
  const damping = numberOf(get('sums.damping'));
  const sums = {
    influence: get('sums.influence'),
    trainSquares: get('sums.train_squares'),
    validationSquares: get('sums.validation_squares'),
    damping: Number.isNaN(damping) ? null : damping,
  };
  return { module, grams, sums };
}

/** Of a tensor that holds one number. */
function numberOf([value = NaN]: Float64Array): number {
  return value;
}

/** The Grams of a finished run, read a layer at a time. */
export class StoredGrams {
  readonly #file: string;
  readonly #tensors: Stored;
  readonly #names: ReadonlySet<string>;

  /** @param file `grams.safetensors` @throws LayerifError `badRequest` where there is none */
  constructor(file: string) {
    if (!fs.existsSync(file)) {
      throw new LayerifError(
        'badRequest',
        `${file} is missing: the Grams are written when a run is complete; run layerif score again`,
      );
    }
    this.#file = file;
    try {
      this.#tensors = readSafetensors(file);
    } catch (error) {
      throw new LayerifError('badRequest', `cannot read ${file}: ${faultWords(error)}; run layerif score again`, {
        cause: error,
      });
    }
    this.#names = new Set(this.#tensors.names());
  }

  /**
   * Influence of every token of a task's training samples on a layer, one sample behind the other; null where the run
   * has not made it.
   */
  tokens(task: string, layer: number): Float32Array | null {
    const name = `${task}/${layer}.token_influence`;
    return this.#names.has(name) ? (this.#tensors.tensor(name) as Float32Array) : null;
  }

  /**
   * The modules of a layer, in the order that they were scored in.
   *
   * @throws LayerifError `badRequest` for a layer that is not there, or whose numbers of weights an old version did not
   *   store
   */
  layer(task: string, layer: number): ModuleGrams[] {
    const start = `${task}/${layer}.`;
    const modules = [...this.#names].filter((name) => name.startsWith(start) && name.endsWith('.K'));
    if (modules.length === 0) {
      throw new LayerifError('badRequest', `${this.#file} has no Grams of layer ${layer} of task "${task}"`);
    }
    return modules.map((name) => {
      const module = name.slice(start.length, -'.K'.length);
      const prefix = `${start}${module}.`;
      if (!this.#names.has(`${prefix}parameters`)) {
        throw new LayerifError(
          'badRequest',
          `${this.#file} was written by an older version, without the numbers of weights: run layerif score again`,
        );
      }
      const parameters = numberOf(this.#tensors.tensor(`${prefix}parameters`) as Float64Array);
      return gramsOf(this.#tensors, this.#names, prefix, module, parameters);
    });
  }
}

/**
 * Joins the layer files into one, a tensor at a time. A task without layer files keeps what it has there.
 *
 * @param parametersOf number of weights of `<layer>.<module>`
 * @throws LayerifError `cannotWrite`
 */
export function mergeGrams(
  into: string,
  parts: { task: string; files: string[] | null }[],
  parametersOf: (layer: number, module: string) => number,
): void {
  const tensors = parts.flatMap(({ task, files }) =>
    (files === null ? [] : files).flatMap((file) => {
      const { tensor } = readSafetensors(file);
      return openSafetensors(file).tensors.flatMap(({ name, shape, dtype }) => {
        const own: NewTensor = {
          name: `${task}/${name}`,
          dtype: dtype as NewTensor['dtype'],
          shape,
          data: () => tensor(name),
        };
        const [, layer, module] = /^(\d+)\.(.+)\.K$/.exec(name) ?? [];
        if (module === undefined) return [own];
        const parameters = Float64Array.of(parametersOf(Number(layer), module));
        return [
          own,
          { ...own, name: `${own.name.slice(0, -'K'.length)}parameters`, shape: [1], data: () => parameters },
        ];
      });
    }),
  );
  for (const { task } of parts.filter(({ files }) => files === null)) tensors.push(...tensorsOf(into, `${task}/`));
  // Eight bytes a number first, so that all of these lie on whole places.
  const wide = (of: boolean) => tensors.filter(({ dtype }) => (dtype === 'F64') === of);
  try {
    writeSafetensors(into, [...wide(true), ...wide(false)]);
  } catch (error) {
    throw cannotWrite(into, error);
  }
}

/** Those of a file whose names begin with a word, as they are. */
function tensorsOf(file: string, start: string): NewTensor[] {
  const { tensor } = readSafetensors(file);
  return openSafetensors(file)
    .tensors.filter(({ name }) => name.startsWith(start))
    .map(({ name, shape, dtype }) => ({
      name,
      dtype: dtype as NewTensor['dtype'],
      shape,
      data: () => tensor(name),
    }));
}
