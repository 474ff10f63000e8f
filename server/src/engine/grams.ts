/**
 * Gram products of per-sample gradients, without ever holding the gradients: for a module with weight [rows, columns] the
 * gradient of sample i is Yᵢᵀ Xᵢ. A tile is the gradients of all samples for some of the rows; the products of a tile are
 * float32 matrix products, tiles are added up in float64.
 *
 *   S = Σ_tiles G_tile G_tileᵀ over training and validation samples together; K = S[train, train], C = S[train, validation],
 *   diagV = diag(S[validation, validation])
 */
import { Graph } from '../onnx/graph.ts';
import { floats, integers, numbers } from './runtime.ts';
import type { Runtime, Session } from './runtime.ts';
import type { ModuleCaptures } from './sweep.ts';

/** K [n, n], C [n, m], diagV [m], row-major, in the order of the samples. */
export interface ModuleGrams {
  K: Float64Array;
  C: Float64Array;
  diagV: Float64Array;
}

/** Rows of S per product: large enough for the matrix unit, small enough that the mirrored half is not computed. */
const BLOCK = 128;

export class GramProducts {
  readonly #tile: Session;
  readonly #gram: Session;
  #buffer = new Float32Array(0);

  private constructor(tile: Session, gram: Session) {
    this.#tile = tile;
    this.#gram = gram;
  }

  static async create(runtime: Runtime): Promise<GramProducts> {
    return new GramProducts(await runtime.session(tileGraph()), await runtime.session(gramGraph()));
  }

  /**
   * @param captures all batches of the training split and of the validation split
   * @param train number of training samples n
   * @param validation number of validation samples m
   * @param tileSize upper bound of the numbers in one tile (one row of every sample at least)
   */
  async of(captures: ModuleCaptures, train: number, validation: number, tileSize: number): Promise<ModuleGrams> {
    const total = train + validation;
    const { rows, columns } = captures;
    const rowsPerTile = Math.min(rows, Math.max(1, Math.floor(tileSize / (total * columns))));
    if (this.#buffer.length < total * rowsPerTile * columns)
      this.#buffer = new Float32Array(total * rowsPerTile * columns);
    const sums = new Float64Array(total * total);
    for (let first = 0; first < rows; first += rowsPerTile) {
      const last = Math.min(first + rowsPerTile, rows);
      const width = (last - first) * columns;
      const gradients = this.#buffer.subarray(0, total * width);
      await this.gradients(captures, first, last, gradients);
      await this.#addProducts(gradients, total, width, sums);
    }
    return arrange(sums, order(captures, train), train, validation);
  }

  /**
   * Per-sample gradients of the weight's rows first..last-1, sample after sample in the order of the batches.
   * @param into [samples, last - first, columns]
   */
  async gradients(captures: ModuleCaptures, first: number, last: number, into: Float32Array): Promise<void> {
    const width = (last - first) * captures.columns;
    const bounds = {
      first: integers(BigInt64Array.of(BigInt(first)), [1]),
      last: integers(BigInt64Array.of(BigInt(last)), [1]),
    };
    let at = 0;
    for (const { batch, x, y } of captures.batches) {
      const size = batch.samples.length * width;
      const target = floats(into.subarray(at, at + size), [batch.samples.length, last - first, captures.columns]);
      await this.#tile.run({ x, y, ...bounds }, { g: target });
      at += size;
    }
  }

  /** Adds the upper triangle of G Gᵀ, by blocks of rows. */
  async #addProducts(gradients: Float32Array, total: number, width: number, sums: Float64Array): Promise<void> {
    const blocks = Math.max(1, Math.round(total / BLOCK));
    for (let block = 0; block < blocks; block++) {
      const start = Math.floor((block * total) / blocks);
      const end = Math.floor(((block + 1) * total) / blocks);
      const a = floats(gradients.subarray(start * width, end * width), [end - start, width]);
      const b = floats(gradients.subarray(start * width), [total - start, width]);
      const products = numbers((await this.#gram.run({ a, b })).s);
      for (let i = start; i < end; i++) {
        for (let j = i; j < total; j++) sums[i * total + j] += products[(i - start) * (total - start) + (j - start)];
      }
    }
  }

  async release(): Promise<void> {
    await this.#tile.release();
    await this.#gram.release();
  }
}

/** Position of every sample in the order of the batches; training samples first, then validation samples. */
export function order(captures: ModuleCaptures, train: number): Int32Array {
  const positions = new Int32Array(captures.batches.reduce((sum, { batch }) => sum + batch.samples.length, 0));
  let at = 0;
  for (const { batch } of captures.batches) {
    for (const sample of batch.samples) positions[batch.split === 'train' ? sample : train + sample] = at++;
  }
  return positions;
}

function arrange(sums: Float64Array, position: Int32Array, n: number, m: number): ModuleGrams {
  const total = n + m;
  const at = (i: number, j: number) => {
    const [a, b] = [position[i], position[j]];
    return a <= b ? sums[a * total + b] : sums[b * total + a];
  };
  const K = new Float64Array(n * n);
  const C = new Float64Array(n * m);
  const diagV = new Float64Array(m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) K[i * n + j] = at(i, j);
    for (let j = 0; j < m; j++) C[i * m + j] = at(i, n + j);
  }
  for (let j = 0; j < m; j++) diagV[j] = at(n + j, n + j);
  return { K, C, diagV };
}

/** x [B, T, columns], y [B, rows, T] -> g [B, last - first, columns] = y[:, first:last] x */
function tileGraph(): Graph {
  const g = new Graph('gradient tile');
  const x = g.input('x', 'float32', ['B', 'T', 'columns']);
  const y = g.input('y', 'float32', ['B', 'rows', 'T']);
  const first = g.input('first', 'int64', [1]);
  const last = g.input('last', 'int64', [1]);
  const [part] = g.node('Slice', [y, first, last, g.ints([1])]);
  g.output(g.matMul(part, x), 'g');
  return g;
}

/** a [p, k], b [q, k] -> s [p, q] = a bᵀ */
function gramGraph(): Graph {
  const g = new Graph('gram');
  const a = g.input('a', 'float32', ['p', 'k']);
  const b = g.input('b', 'float32', ['q', 'k']);
  g.output(g.node('Gemm', [a, b], { transB: 1 })[0], 's');
  return g;
}
