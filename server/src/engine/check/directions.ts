/**
 * Directions in the scored weights of one layer: the gradient of the samples' mean loss, and random signs of the size
 * of each matrix's weights (as in SPSA, Spall 1992). Each knows the derivative that the gradient claims along it.
 */
import { Random } from '../../random/random.ts';
import { Graph } from '../../onnx/graph.ts';
import type { Model } from '../sweep/model.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

interface Matrix {
  /** Of the tensor. */
  name: string;
  /** As it is stored; gradients are brought into the same layout. */
  weight: Float32Array;
  gradient: Float32Array;
}

export interface Try {
  /** ‖ε U‖ / ‖W‖ */
  step: number;
  /** ε, for a direction of length 1. */
  length: number;
  /** <gradient, U> */
  gradient: number;
  /** Root mean square of <gradient, U> over random directions of length 1 that spread over the matrices as U does. */
  typical: number;
  /** Sets the weights to W + sign ε U. */
  move: (sign: number) => void;
}

export class Directions {
  readonly #model: Model;
  readonly #matrices: Matrix[];
  /** ‖W‖ */
  readonly #size: number;

  private constructor(model: Model, matrices: Matrix[]) {
    this.#model = model;
    this.#matrices = matrices;
    this.#size = norm(matrices.map(({ weight }) => weight)) || 1;
  }

  /** @param captures of one layer, all samples */
  static async create(model: Model, captures: ModuleCaptures[], samples: number): Promise<Directions> {
    const { architecture, weights } = model;
    const session = await model.session('summed gradient', () => ({ graph: productGraph(), weights: [], tables: [] }));
    const matrices: Matrix[] = [];
    for (const { layer, module, rows, columns, batches } of captures) {
      const name = `${architecture.layerName(layer)}.${module}.weight`;
      const gradient = new Float32Array(rows * columns);
      for (const { x, y } of batches) {
        const tokens = numbers(x).length / columns;
        const feeds = { x: floats(numbers(x), [tokens, columns]), y: floats(numbers(y), [tokens, rows]) };
        const sum = numbers((await session.session.run(feeds)).g);
        for (let i = 0; i < sum.length; i++) gradient[i] += sum[i] / samples;
      }
      const transposed = architecture.modules(layer).find((m) => m.name === module)?.transposed ?? false;
      matrices.push({
        name,
        weight: weights.original(name),
        gradient: transposed ? transpose(gradient, rows, columns) : gradient,
      });
    }
    return new Directions(model, matrices);
  }

  /** @param nats changes of the loss to aim at @param most of ‖W‖ to move */
  *alongGradient(nats: readonly number[], most: number): Generator<Try> {
    const size = norm(this.#matrices.map(({ gradient }) => gradient));
    const steps = nats.map((change) => Math.min(most, size === 0 ? most : change / size / this.#size));
    yield* this.#along(
      this.#matrices.map(({ gradient }) => gradient),
      [...new Set(steps)],
    );
  }

  *random(seed: number, steps: readonly number[]): Generator<Try> {
    const count = this.#matrices.reduce((sum, { weight }) => sum + weight.length, 0);
    const signs = this.#matrices.map(({ name, weight }) => {
      const random = new Random(seed, `direction ${name}`);
      const size = norm([weight]) / Math.sqrt(weight.length) || this.#size / Math.sqrt(count); // a fresh adapter's B is zero
      let bits = 0;
      return weight.map((_, i) => {
        if (i % 30 === 0) bits = random.integer(2 ** 30);
        return (bits >>> (i % 30)) & 1 ? size : -size;
      });
    });
    yield* this.#along(signs, steps);
  }

  *#along(direction: Float32Array[], steps: readonly number[]): Generator<Try> {
    const unit = norm(direction) || 1;
    const weights = this.#size;
    let gradient = 0;
    let typical = 0;
    this.#matrices.forEach((matrix, k) => {
      for (let i = 0; i < matrix.gradient.length; i++) gradient += (matrix.gradient[i] * direction[k][i]) / unit;
      const [own, moved] = [norm([matrix.gradient]), norm([direction[k]]) / unit];
      typical += (own * moved) ** 2 / matrix.gradient.length;
    });
    for (const step of steps) {
      const move = (sign: number): void => {
        for (const [k, { name, weight }] of this.#matrices.entries()) {
          const factor = (sign * step * weights) / unit;
          this.#model.weights.replace(
            name,
            weight.map((value, i) => value + factor * direction[k][i]),
          );
        }
      };
      yield { step, length: step * weights, gradient, typical: Math.sqrt(typical), move };
    }
  }
}

function norm(parts: readonly Float32Array[]): number {
  let sum = 0;
  for (const part of parts) for (const value of part) sum += value * value;
  return Math.sqrt(sum);
}

/** [rows, columns] -> [columns, rows] */
function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(matrix, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)]);
}

/** x [tokens, columns], y [tokens, rows] -> g [rows, columns] = yᵀ x */
function productGraph(): Graph {
  const g = new Graph('summed gradient');
  const x = g.input('x', 'float32', ['tokens', 'columns']);
  const y = g.input('y', 'float32', ['tokens', 'rows']);
  g.output(g.node('Gemm', [y, x], { transA: 1 })[0], 'g');
  return g;
}
