/**
 * Gram products by tiles: the gradients of all samples for some rows of the weight, then G_tile G_tileᵀ; products in float32,
 * tiles added up in float64. Memory is one tile, however large the weight is.
 */
import { Graph } from '../onnx/graph.ts';
import { floats, integers, numbers } from './runtime.ts';
import type { Runtime, Session, Tensor } from './runtime.ts';
import type { ModuleCaptures } from './sweep.ts';

/** Rows of S per product: large enough for the matrix unit, small enough that the mirrored half is not computed. */
const BLOCK = 128;
/** A tile that stays in the cache, in numbers; but never fewer rows than keep the products efficient. */
const CACHED_TILE = 1 << 22;
const FEWEST_ROWS = 64;

export class GradientTiles {
  readonly #transpose: Session;
  readonly #tile: Session;
  readonly #gram: Session;
  #buffer = new Float32Array(0);

  private constructor(transpose: Session, tile: Session, gram: Session) {
    this.#transpose = transpose;
    this.#tile = tile;
    this.#gram = gram;
  }

  static async create(runtime: Runtime): Promise<GradientTiles> {
    const sessions = await Promise.all([transposeGraph(), tileGraph(), gramGraph()].map((g) => runtime.session(g)));
    return new GradientTiles(sessions[0], sessions[1], sessions[2]);
  }

  /** Adds the upper triangle of S in the order of the batches. @param sums [samples, samples] */
  async addProducts(captures: ModuleCaptures, tileSize: number, sums: Float64Array): Promise<void> {
    const { rows, columns } = captures;
    const total = Math.sqrt(sums.length);
    const perRow = total * columns;
    const cached = Math.max(FEWEST_ROWS, Math.floor(CACHED_TILE / perRow));
    const rowsPerTile = Math.max(1, Math.min(rows, cached, Math.floor(tileSize / perRow)));
    if (this.#buffer.length < perRow * rowsPerTile) this.#buffer = new Float32Array(perRow * rowsPerTile);
    const transposed = await this.#transposed(captures);
    for (let first = 0; first < rows; first += rowsPerTile) {
      const last = Math.min(first + rowsPerTile, rows);
      const width = (last - first) * columns;
      const gradients = this.#buffer.subarray(0, total * width);
      await this.#form(captures, transposed, first, last, gradients);
      await this.#multiply(gradients, total, width, sums);
    }
  }

  /**
   * Per-sample gradients of the weight's rows first..last-1, sample after sample in the order of the batches.
   * @param into [samples, last - first, columns]
   */
  async gradients(captures: ModuleCaptures, first: number, last: number, into: Float32Array): Promise<void> {
    await this.#form(captures, await this.#transposed(captures), first, last, into);
  }

  /** y of every batch as [B, rows, T], so that a tile's part is contiguous. */
  async #transposed(captures: ModuleCaptures): Promise<Tensor[]> {
    const all: Tensor[] = [];
    for (const { y } of captures.batches) all.push((await this.#transpose.run({ y })).yt);
    return all;
  }

  async #form(captures: ModuleCaptures, yt: Tensor[], first: number, last: number, into: Float32Array): Promise<void> {
    const width = (last - first) * captures.columns;
    const bounds = {
      first: integers(BigInt64Array.of(BigInt(first)), [1]),
      last: integers(BigInt64Array.of(BigInt(last)), [1]),
    };
    let at = 0;
    for (const [i, { batch, x }] of captures.batches.entries()) {
      const size = batch.samples.length * width;
      const target = floats(into.subarray(at, at + size), [batch.samples.length, last - first, captures.columns]);
      await this.#tile.run({ x, yt: yt[i], ...bounds }, { g: target });
      at += size;
    }
  }

  /** Adds the upper triangle of G Gᵀ, by blocks of rows. */
  async #multiply(gradients: Float32Array, total: number, width: number, sums: Float64Array): Promise<void> {
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
    for (const session of [this.#transpose, this.#tile, this.#gram]) await session.release();
  }
}

/** y [B, T, rows] -> yt [B, rows, T] */
function transposeGraph(): Graph {
  const g = new Graph('transpose');
  g.output(g.transpose(g.input('y', 'float32', ['B', 'T', 'rows']), [0, 2, 1]), 'yt');
  return g;
}

/** x [B, T, columns], yt [B, rows, T] -> g [B, last - first, columns] = yt[:, first:last] x */
function tileGraph(): Graph {
  const g = new Graph('gradient tile');
  const x = g.input('x', 'float32', ['B', 'T', 'columns']);
  const yt = g.input('yt', 'float32', ['B', 'rows', 'T']);
  const first = g.input('first', 'int64', [1]);
  const last = g.input('last', 'int64', [1]);
  const [part] = g.node('Slice', [yt, first, last, g.ints([1])]);
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
