/**
 * A small classifier in float64 with its exact Hessian: tanh layers, softmax, mean cross-entropy; without hidden layers
 * it is softmax regression, whose objective is convex.
 *
 *   J(θ) = Σᵢ wᵢ ℓ(zᵢ; θ) / Σᵢ wᵢ + wd/2 ‖θ‖²
 *
 * The Hessian comes column by column from the R-operator (Pearlmutter 1994, Neural Computation 6:147), so it is exact.
 * Activations are smooth: on the kinks of ReLU Newton cannot reach a zero gradient and leave-one-out comparisons fail
 * for that reason alone.
 */
import { Matrix } from 'ml-matrix';
import { Random } from '../random/random.ts';

export interface Classified {
  /** n x d, row-major. */
  features: Float64Array;
  /** Class of each row, 0 .. classes - 1. */
  labels: ArrayLike<number>;
  rows: number;
  columns: number;
  classes: number;
}

interface Layer {
  inputs: number;
  outputs: number;
  /** Where its weights [outputs, inputs] and then its biases [outputs] begin in θ. */
  weights: number;
  biases: number;
}

export class Perceptron {
  readonly data: Classified;
  readonly weightDecay: number;
  /** Length of θ. */
  readonly size: number;
  readonly #layers: readonly Layer[];

  /** @param hidden widths of the tanh layers, [] for softmax regression */
  constructor(data: Classified, hidden: readonly number[], weightDecay: number) {
    this.data = data;
    this.weightDecay = weightDecay;
    const widths = [data.columns, ...hidden, data.classes];
    let at = 0;
    this.#layers = widths.slice(1).map((outputs, l) => {
      const inputs = widths[l];
      const layer = { inputs, outputs, weights: at, biases: at + inputs * outputs };
      at += (inputs + 1) * outputs;
      return layer;
    });
    this.size = at;
  }

  /** Uniform in ±1/√inputs, weights and biases (PyTorch's nn.Linear). */
  initial(seed: number): Float64Array {
    const random = new Random(seed, 'perceptron');
    const theta = new Float64Array(this.size);
    for (const { inputs, outputs, weights } of this.#layers) {
      const count = (inputs + 1) * outputs;
      for (let i = 0; i < count; i++) theta[weights + i] = (2 * random.uniform() - 1) / Math.sqrt(inputs);
    }
    return theta;
  }

  /** Cross-entropy of each row of `data`, without weight decay. */
  losses(theta: Float64Array, data = this.data): Float64Array {
    return Float64Array.from({ length: data.rows }, (_, i) => {
      const p = this.#forward(theta, data, i).at(-1)!;
      return -Math.log(p[data.labels[i]]);
    });
  }

  /** @param weights of the rows, not negative, not all zero; absent: all 1 */
  objective(theta: Float64Array, weights?: ArrayLike<number>): number {
    const losses = this.losses(theta);
    let [sum, total] = [0, 0];
    for (let i = 0; i < losses.length; i++) {
      const w = weights?.[i] ?? 1;
      if (w > 0) sum += w * losses[i];
      total += w;
    }
    return sum / total + (this.weightDecay / 2) * theta.reduce((s, v) => s + v * v, 0);
  }

  /** Gradient of `objective`. */
  gradient(theta: Float64Array, weights?: ArrayLike<number>): Float64Array {
    const gradient = new Float64Array(this.size);
    let total = 0;
    for (let i = 0; i < this.data.rows; i++) {
      const w = weights?.[i] ?? 1;
      total += w;
      if (w > 0) this.#backward(theta, this.data, i, w, gradient);
    }
    for (let k = 0; k < this.size; k++) gradient[k] = gradient[k] / total + this.weightDecay * theta[k];
    return gradient;
  }

  /** Gradients of the rows' cross-entropies, without weight decay: rows x size. */
  sampleGradients(theta: Float64Array, data = this.data): Matrix {
    const gradients = new Matrix(data.rows, this.size);
    for (let i = 0; i < data.rows; i++) {
      const gradient = new Float64Array(this.size);
      this.#backward(theta, data, i, 1, gradient);
      gradients.setRow(i, gradient);
    }
    return gradients;
  }

  /** Exact Hessian of `objective`. */
  hessian(theta: Float64Array, weights?: ArrayLike<number>): Matrix {
    const { size } = this;
    const H = new Matrix(size, size);
    const columns = Array.from({ length: size }, () => new Float64Array(size));
    let total = 0;
    for (let i = 0; i < this.data.rows; i++) {
      const w = weights?.[i] ?? 1;
      total += w;
      if (w > 0) this.#addHessian(theta, i, w, columns);
    }
    for (let r = 0; r < size; r++) {
      for (let c = 0; c < size; c++) {
        // The two triangles differ by rounding only; a symmetric solver wants them equal.
        H.set(r, c, (columns[c][r] + columns[r][c]) / (2 * total) + (r === c ? this.weightDecay : 0));
      }
    }
    return H;
  }

  /** Inputs of every layer, then the probabilities of the classes. */
  #forward(theta: Float64Array, data: Classified, row: number): Float64Array[] {
    const activations = [data.features.subarray(row * data.columns, (row + 1) * data.columns)];
    this.#layers.forEach((layer, l) => {
      const z = affine(theta, layer, activations[l]);
      activations.push(l < this.#layers.length - 1 ? z.map(Math.tanh) : softmax(z));
    });
    return activations;
  }

  /** Cotangents of the layers' outputs z. */
  #cotangents(theta: Float64Array, activations: Float64Array[], label: number): Float64Array[] {
    const last = this.#layers.length - 1;
    const deltas: Float64Array[] = [];
    deltas[last] = Float64Array.from(activations[last + 1]);
    deltas[last][label] -= 1;
    for (let l = last - 1; l >= 0; l--) {
      const a = activations[l + 1];
      deltas[l] = transposed(theta, this.#layers[l + 1], deltas[l + 1]).map((u, k) => u * (1 - a[k] * a[k]));
    }
    return deltas;
  }

  #backward(theta: Float64Array, data: Classified, row: number, scale: number, into: Float64Array): void {
    const activations = this.#forward(theta, data, row);
    const deltas = this.#cotangents(theta, activations, data.labels[row]);
    this.#layers.forEach((layer, l) => addOuter(into, layer, deltas[l], activations[l], scale));
  }

  /** Adds scale times column k of one row's Hessian to `columns[k]`, for all k. */
  #addHessian(theta: Float64Array, row: number, scale: number, columns: Float64Array[]): void {
    const a = this.#forward(theta, this.data, row);
    const deltas = this.#cotangents(theta, a, this.data.labels[row]);
    const last = this.#layers.length - 1;
    const p = a[last + 1];
    const direction = new Float64Array(this.size);
    // Directions are unit vectors: below the layer they belong to nothing moves.
    for (let first = 0; first <= last; first++) {
      const { weights, inputs, outputs } = this.#layers[first];
      for (let k = weights; k < weights + (inputs + 1) * outputs; k++) {
        direction[k] = 1;
        const Ra: Float64Array[] = [];
        let Rz = new Float64Array(0);
        for (let l = first; l <= last; l++) {
          const layer = this.#layers[l];
          Rz = l === first ? affine(direction, layer, a[l]) : product(theta, layer, Ra[l]);
          if (l < last) Ra[l + 1] = Rz.map((z, j) => z * (1 - a[l + 1][j] ** 2));
        }
        const mean = Rz.reduce((sum, z, j) => sum + p[j] * z, 0);
        let Rdelta = Rz.map((z, j) => p[j] * (z - mean));
        for (let l = last; l >= 0; l--) {
          const layer = this.#layers[l];
          addOuter(columns[k], layer, Rdelta, a[l], scale);
          if (Ra[l]) addOuterOnly(columns[k], layer, deltas[l], Ra[l], scale);
          if (l === 0) break;
          const Ru = transposed(theta, layer, Rdelta);
          if (l === first) {
            const moved = transposed(direction, layer, deltas[l]);
            for (let j = 0; j < Ru.length; j++) Ru[j] += moved[j];
          }
          const u = Ra[l] ? transposed(theta, layer, deltas[l]) : null;
          Rdelta = Ru.map((r, j) => r * (1 - a[l][j] ** 2) - (u ? 2 * u[j] * a[l][j] * Ra[l][j] : 0));
        }
        direction[k] = 0;
      }
    }
  }
}

/** W x + b */
function affine(theta: Float64Array, layer: Layer, x: Float64Array): Float64Array<ArrayBuffer> {
  const z = product(theta, layer, x);
  for (let o = 0; o < layer.outputs; o++) z[o] += theta[layer.biases + o];
  return z;
}

/** W x */
function product(theta: Float64Array, { inputs, outputs, weights }: Layer, x: Float64Array): Float64Array<ArrayBuffer> {
  const z = new Float64Array(outputs);
  for (let o = 0; o < outputs; o++) {
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += theta[weights + o * inputs + i] * x[i];
    z[o] = sum;
  }
  return z;
}

/** Wᵀ y */
function transposed(theta: Float64Array, { inputs, outputs, weights }: Layer, y: Float64Array) {
  const u = new Float64Array(inputs);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) u[i] += theta[weights + o * inputs + i] * y[o];
  }
  return u;
}

/** Adds scale · y xᵀ to the weights' place, scale · y to the biases'. */
function addOuter(into: Float64Array, layer: Layer, y: Float64Array, x: Float64Array, scale: number): void {
  addOuterOnly(into, layer, y, x, scale);
  for (let o = 0; o < layer.outputs; o++) into[layer.biases + o] += scale * y[o];
}

function addOuterOnly(into: Float64Array, layer: Layer, y: Float64Array, x: Float64Array, scale: number): void {
  const { inputs, outputs, weights } = layer;
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) into[weights + o * inputs + i] += scale * y[o] * x[i];
  }
}

function softmax(z: Float64Array): Float64Array<ArrayBuffer> {
  const top = z.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = Float64Array.from(z, (v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}
