/**
 * Kronecker projection of per-sample gradients, the form of LoGra (Choe et al. 2024, arXiv 2405.13954). For a weight
 * [rows, columns] the gradient G = Yᵀ X of a sample becomes
 *
 *   G' = P_out G P_inᵀ = (Y P_outᵀ)ᵀ (X P_inᵀ),      P_out [k_o, rows], P_in [k_i, columns], k = min(rank, size of the side)
 *
 * The gradient graph hands out y' = Y P_outᵀ and x' = X P_inᵀ instead of y and x, so G is never formed, and whoever
 * reads captures sees a module with a k_o x k_i weight. Rows of P are orthonormal times sqrt(size / k): then E[Pᵀ P] =
 * I over seeds, and since both sides are drawn independently E<G'_i, G'_j> = <G_i, G_j>, in particular E|G'|² = |G|².
 * With a rank of at least the side's size P is a square orthogonal matrix and nothing changes but rounding. Damping
 * keeps the number of weights of the matrix itself, for mean_square estimates trace(K) / (n rows columns) and trace(K)
 * keeps its expectation.
 *
 * Seeded by the run's seed and a stream per side of every matrix; modules that read the same input (q, k and v) share
 * P_in, so that the product is made once. Training and validation samples see the same matrices.
 */
import type { ProjectionPlan } from '../../../../protocol/engine.ts';
import type { Capture } from '../../models/segment.ts';
import type { Architecture } from '../../models/types.ts';
import type { Graph, Value } from '../../onnx/graph.ts';
import { Random } from '../../random/random.ts';
import { floats } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';

/** A matrix that a gradient graph is fed with: Pᵀ [size, k]. */
export interface ProjectionInput {
  input: string;
  block: number;
  /** Below the layer, such as `self_attn.q_proj in`. */
  stream: string;
  size: number;
}

/** Adds projections to a graph, each matrix as an input of its own. */
export class ProjectionBuilder {
  readonly inputs: ProjectionInput[] = [];
  readonly #graph: Graph;
  readonly #captures: readonly Capture[];
  readonly #rank: number;
  readonly #made = new Map<string, Value>();

  /** @param captures of all modules, scored or not, so that what is scored does not change the numbers */
  constructor(graph: Graph, captures: readonly Capture[], rank: number) {
    this.#graph = graph;
    this.#captures = captures;
    this.#rank = rank;
  }

  /** x' = x P_inᵀ [B, T, k_i] */
  input(capture: Capture): Value {
    const first = this.#captures.find((c) => c.input.name === capture.input.name)!;
    return this.#project(capture.input, capture.block, `${first.module} in`);
  }

  /** y' = y P_outᵀ [B, T, k_o] */
  output(capture: Capture, cotangent: Value): Value {
    return this.#project(cotangent, capture.block, `${capture.module} out`);
  }

  #project(value: Value, block: number, stream: string): Value {
    const input = `block${block}.${stream}`;
    const known = this.#made.get(input);
    if (known) return known;
    const size = Number(value.shape[value.shape.length - 1]);
    const matrix = this.#graph.input(input, 'float32', [size, projectedSize(this.#rank, size)]);
    this.inputs.push({ input, block, stream, size });
    const made = this.#graph.matMul(value, matrix);
    this.#made.set(input, made);
    return made;
  }
}

/** Makes the matrices when they are needed and keeps those of the layers that were asked for last. */
export class Projection {
  readonly rank: number;
  readonly #seed: number;
  readonly #architecture: Architecture;
  #kept = new Map<string, Tensor>();

  constructor(architecture: Architecture, { rank, seed }: ProjectionPlan) {
    this.rank = rank;
    this.#seed = seed;
    this.#architecture = architecture;
  }

  /** @param layers block number i of the graph is layer `layers[i]` */
  feeds(inputs: readonly ProjectionInput[], layers: readonly number[]): Feeds {
    const kept = new Map<string, Tensor>();
    const feeds: Feeds = {};
    for (const { input, block, stream, size } of inputs) {
      const name = `projection ${this.#architecture.layerName(layers[block])} ${stream}`;
      const tensor = this.#kept.get(name) ?? this.#make(name, size);
      kept.set(name, tensor);
      feeds[input] = tensor;
    }
    this.#kept = kept;
    return feeds;
  }

  #make(stream: string, size: number): Tensor {
    const count = projectedSize(this.rank, size);
    const rows = orthonormalRows(count, size, new Random(this.#seed, stream));
    const scale = Math.sqrt(size / count);
    const transposed = new Float32Array(size * count);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < size; j++) transposed[j * count + i] = scale * rows[i * size + j];
    }
    return floats(transposed, [size, count]);
  }
}

/** k of a side. */
export function projectedSize(rank: number, size: number): number {
  return Math.min(rank, size);
}

/**
 * Orthonormal rows of a uniformly distributed subspace: normal numbers, then modified Gram-Schmidt, whose loss of
 * orthogonality is the condition number times float64's rounding (Björck 1967). A package's Householder QR takes five
 * times as long.
 * @returns [count, size], row-major; count <= size
 */
export function orthonormalRows(count: number, size: number, random: Random): Float64Array {
  const rows = Float64Array.from({ length: count * size }, () => random.normal());
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * size, (i + 1) * size);
    for (let j = 0; j < i; j++) {
      const other = rows.subarray(j * size, (j + 1) * size);
      let product = 0;
      for (let c = 0; c < size; c++) product += row[c] * other[c];
      for (let c = 0; c < size; c++) row[c] -= product * other[c];
    }
    let square = 0;
    for (let c = 0; c < size; c++) square += row[c] * row[c];
    const inverse = 1 / Math.sqrt(square);
    for (let c = 0; c < size; c++) row[c] *= inverse;
  }
  return rows;
}
