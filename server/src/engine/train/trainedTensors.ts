/**
 * Trained weights as the graphs are fed with them: float32 copies of float64 masters, in place of the model's own
 * weights.
 */
import type { WeightInput } from '../../models/segment.ts';
import type { Parameters } from '../../training/parameters.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';

export class TrainedTensors {
  readonly #model: Model;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  #parameters: Parameters = new Map();
  #tensors = new Map<string, Tensor>();

  /** @param shapes by the whole name of the weight */
  constructor(model: Model, shapes: ReadonlyMap<string, readonly number[]>) {
    this.#model = model;
    this.#shapes = shapes;
  }

  /** @param parameters changes to them count from the next `update` on */
  use(parameters: Parameters): void {
    this.#parameters = parameters;
    this.#tensors = new Map(
      [...parameters].map(([name, data]) => [name, floats(Float32Array.from(data), this.#shapes.get(name)!)]),
    );
  }

  /** Takes over the numbers that a step has changed. */
  update(): void {
    for (const [name, data] of this.#parameters) numbers(this.#tensors.get(name)!).set(data);
  }

  /** Zeros of every parameter's size. */
  zeros(): Parameters {
    return new Map([...this.#parameters].map(([name, data]) => [name, new Float64Array(data.length)]));
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Trained weights from here, all else from the model; block number i of the graph is layer `layers[i]`. */
  feeds(inputs: WeightInput[], layers: number[]): Feeds {
    const own: Feeds = {};
    const others = inputs.filter(({ input, block, tensor }) => {
      const trained = this.#tensors.get(
        block === null ? tensor : `${this.#model.architecture.layerName(layers[block])}.${tensor}`,
      );
      if (trained) own[input] = trained;
      return !trained;
    });
    return { ...this.#model.weights.feeds(others, layers), ...own };
  }
}
