/**
 * The eigenbasis of a covariance matrix, in float64.
 *
 * Products of tokens come from ONNX Runtime; the eigendecomposition (Householder tridiagonalisation and implicit QL) is
 * `ml-matrix`'s. It takes about 0.5 CPU-seconds for 576 x 576 and grows with the cube.
 */
import { symmetricEigen } from '../../linear/eigenvectors.ts';
import { Graph } from '../../onnx/graph.ts';
import { floats } from '../runtime/runtime.ts';
import type { Runtime, Session } from '../runtime/runtime.ts';

export interface Eigenbasis {
  /** [width, width], one eigenvector a row. */
  vectors: Float32Array;
  /** Mean eigenvalue = trace / width. */
  mean: number;
}

/** Token vectors, row-major [tokens, width]. */
export interface Tokens {
  data: Float32Array;
  tokens: number;
}

export class Covariances {
  readonly #product: Session;

  private constructor(product: Session) {
    this.#product = product;
  }

  static async create(runtime: Runtime): Promise<Covariances> {
    return new Covariances(await runtime.session(productGraph()));
  }

  /** Eigenvectors of E[x xᵀ] over all tokens of all parts. @returns null when every number is zero */
  async eigenbasis(parts: Tokens[], width: number): Promise<Eigenbasis | null> {
    const sums = new Float64Array(width * width);
    let count = 0;
    for (const { data, tokens } of parts) {
      if (tokens === 0) continue;
      const { s } = await this.#product.run({ x: floats(data, [tokens, width]) });
      const products = s.data as Float64Array;
      for (let i = 0; i < sums.length; i++) sums[i] += products[i];
      count += tokens;
    }
    let trace = 0;
    for (let i = 0; i < width; i++) trace += sums[i * width + i];
    if (trace === 0) return null;
    return { vectors: eigenvectors(sums, width), mean: trace / (Math.max(1, count) * width) };
  }

  async release(): Promise<void> {
    await this.#product.release();
  }
}

/** @param sums [width, width], symmetric up to rounding @throws Error when a number is not finite */
function eigenvectors(sums: Float64Array, width: number): Float32Array {
  const symmetric = new Float64Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j <= i; j++) {
      const value = (sums[i * width + j] + sums[j * width + i]) / 2;
      if (!Number.isFinite(value)) throw new Error(`the covariance of activations or gradients holds ${value}`);
      symmetric[i * width + j] = value;
    }
  }
  const columns = symmetricEigen(symmetric, width).vectors;
  const vectors = new Float32Array(width * width);
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < width; j++) vectors[j * width + i] = columns[i * width + j];
  }
  return vectors;
}

/**
 * x [tokens, width] -> s [width, width] = xᵀ x in float64: activations of language models have entries a thousand times
 * the others, whose rounding in float32 would turn the eigenvectors of the small eigenvalues.
 */
function productGraph(): Graph {
  const g = new Graph('covariance');
  const x = g.cast(g.input('x', 'float32', ['tokens', 'width']), 'float64');
  g.output(g.node('Gemm', [x, x], { transA: 1 })[0], 's');
  return g;
}
