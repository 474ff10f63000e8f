/**
 * Weights as float32 arrays that sessions are fed with, without a copy. Resident: read once and kept. Streamed: what a segment
 * used is dropped when the next one begins, so memory does not grow with the number of layers.
 */
import type { Checkpoint } from '../checkpoints/types.ts';
import type { WeightInput } from '../models/segment.ts';
import type { Architecture } from '../models/types.ts';
import { floats } from './runtime.ts';
import type { Feeds, Tensor } from './runtime.ts';

export class WeightStore {
  readonly #checkpoint: Checkpoint;
  readonly #architecture: Architecture;
  readonly #kept = new Map<string, Tensor>();
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
      for (const name of this.#kept.keys()) if (!wanted.has(name)) this.#kept.delete(name);
    }
    return Object.fromEntries([...names].map(([input, name]) => [input, this.#tensor(name)]));
  }

  /** Reads what is not there yet, for a model that will stay resident. */
  readAll(): void {
    for (const name of this.#checkpoint.tensors.keys()) this.#tensor(name);
  }

  #tensor(name: string): Tensor {
    let tensor = this.#kept.get(name);
    if (!tensor) {
      const info = this.#checkpoint.tensors.get(name);
      tensor = floats(this.#checkpoint.read(name), info ? info.shape : []);
      this.#kept.set(name, tensor);
    }
    return tensor;
  }
}
