/**
 * Weights as float32 arrays that sessions are fed with, without a copy. Resident: read once and kept. Streamed: what a
 * segment used is dropped when the next one begins, so memory does not grow with the number of layers; arrays of the
 * right size are filled anew, which spares their allocation and keeps one segment's weights in memory instead of those
 * that wait for the collector too.
 */
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import type { WeightInput } from '../../models/segment.ts';
import { tensorsRead } from '../../models/tensorsRead.ts';
import type { Architecture, LinearModule } from '../../models/types.ts';
import { collectGarbage } from '../runtime/garbage.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';

/** Bytes that are worth a garbage collection. */
const LARGE = 1 << 26;

export class WeightStore {
  readonly #checkpoint: Checkpoint;
  readonly #architecture: Architecture;
  readonly #kept = new Map<string, Tensor>();
  /** Pruned matrices, in place of the checkpoint's. */
  readonly #replaced = new Map<string, () => Float32Array>();
  /** Arrays that others hold too, which are never filled anew. */
  readonly #lent = new WeakSet<Float32Array>();
  /** Dropped arrays by length; nobody else may hold them. */
  #free = new Map<number, Float32Array[]>();
  mode: 'resident' | 'streamed' = 'resident';

  constructor(checkpoint: Checkpoint, architecture: Architecture) {
    this.#checkpoint = checkpoint;
    this.#architecture = architecture;
  }

  /** Feeds for a graph whose block number i is layer `layers[i]`. */
  feeds(inputs: WeightInput[], layers: number[]): Feeds {
    const names = new Map(
      inputs.map(({ input, block, tensor }) => [
        input,
        block === null ? tensor : `${this.#architecture.layerName(layers[block])}.${tensor}`,
      ]),
    );
    if (this.mode === 'streamed') {
      const wanted = new Set(names.values());
      for (const name of this.#kept.keys()) if (!wanted.has(name)) this.#drop(name);
      this.#letGo([...wanted]);
    }
    return Object.fromEntries([...names].map(([input, name]) => [input, this.#tensor(name)]));
  }

  #drop(name: string): void {
    const array = numbers(this.#kept.get(name)!);
    this.#kept.delete(name);
    if (this.#lent.has(array)) return;
    this.#free.set(array.length, [...(this.#free.get(array.length) ?? []), array]);
  }

  /** Drops the free arrays that have the size of no wanted weight, at once where they are large. */
  #letGo(wanted: readonly string[]): void {
    const missing = wanted.filter((name) => !this.#kept.has(name));
    const sizes = new Set(missing.map((name) => this.#checkpoint.tensors.get(name)?.shape.reduce((a, b) => a * b, 1)));
    let bytes = 0;
    for (const [length, arrays] of this.#free) {
      if (sizes.has(length) || missing.length === 0) continue;
      bytes += 4 * length * arrays.length;
      this.#free.delete(length);
    }
    if (bytes > LARGE) collectGarbage();
  }

  /** A weight as it is now, as stored (not to be changed). @throws LayerifError `badModel` */
  values(name: string): Float32Array {
    const array = numbers(this.#tensor(name));
    this.#lent.add(array);
    return array;
  }

  /** Where and how the checkpoint stores a weight. */
  stored(name: string): TensorInfo {
    return this.#checkpoint.tensors.get(name)!;
  }

  /** The checkpoint's values, read anew. @throws LayerifError `badModel` */
  original(name: string): Float32Array {
    return this.#checkpoint.read(name);
  }

  /** Of the checkpoint's tensors, those that the model reads. */
  names(): string[] {
    const read = tensorsRead(this.#architecture);
    return [...this.#checkpoint.tensors.keys()].filter((name) => read.has(name));
  }

  /**
   * From now on the graphs see other values, until `restore`.
   * @param values or how to read them when they are needed
   */
  replace(name: string, values: Float32Array | (() => Float32Array)): void {
    this.#replaced.set(name, typeof values === 'function' ? values : () => values);
    this.#kept.delete(name);
  }

  /** The checkpoint's own values again. */
  restore(): void {
    for (const name of this.#replaced.keys()) this.#kept.delete(name);
    this.#replaced.clear();
  }

  /** Reads what is not there yet, for a model that will stay resident. */
  readAll(): void {
    for (const name of this.names()) this.#tensor(name);
  }

  #tensor(name: string): Tensor {
    let tensor = this.#kept.get(name);
    if (!tensor) {
      const info = this.#checkpoint.tensors.get(name);
      const replaced = this.#replaced.get(name)?.();
      if (replaced) this.#lent.add(replaced);
      const values = replaced ?? this.#checkpoint.read(name, this.#freeArray(info));
      tensor = floats(values, info ? info.shape : []);
      this.#kept.set(name, tensor);
    }
    return tensor;
  }

  #freeArray(info: TensorInfo | undefined): Float32Array | undefined {
    return info && this.#free.get(info.shape.reduce((a, b) => a * b, 1))?.pop();
  }
}

export function weightName(architecture: Architecture, layer: number, { name }: LinearModule): string {
  return `${architecture.layerName(layer)}.${name}.weight`;
}

/** A copy with outputs as rows. */
export function asRows(stored: Float32Array, { rows, columns, transposed }: LinearModule): Float32Array {
  return transposed ? turned(stored, columns, rows) : stored.slice();
}

/** Rows become columns. */
export function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const t = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) t[c * rows + r] = values[r * columns + c];
  return t;
}
