/**
 * Gram products by tiles: the gradients of all samples for a part of the weight, then G_tile G_tileᵀ; products in
 * float32, tiles added up in float64. Memory is one tile, however large the weight is.
 *
 * A tile is formed as A B with A = xᵀ [columns, T] and B = some columns of y [T, rows], or the other way round, so that
 * the transposed side is the narrower one and is read whole: inner products do not care for the orientation. Products
 * with a short inner dimension T are bound by writing their result; a narrow result, written once in order, costs
 * least.
 */
import { Graph } from '../../onnx/graph.ts';
import type { Value } from '../../onnx/graph.ts';
import { floats, integers, numbers } from '../runtime/runtime.ts';
import type { Feeds, Runtime, Session, Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

/**
 * Rows of S per product: multiples of what the matrix kernel takes, and small, so that little of the mirrored half is
 * computed.
 */
const BLOCK = { few: 48, many: 96, manyFrom: 192 };
/** A tile that stays in the cache, in numbers. */
const CACHED_TILE = 1 << 22;
/** Numbers of the sliced side that a tile takes of each position: whole vectors of the matrix kernel. */
const WIDTH = { least: 32, most: 96 };
/** Batches that one run forms gradients of: what a run costs by itself is shared. */
const BATCHES_PER_RUN = 16;

/** A part of the weight: `outer` positions of the transposed side, `inner` positions of the sliced one. */
interface Part {
  outer: [number, number];
  inner: [number, number];
}

/** Gradients of all samples for a part of the weight. */
export interface GradientTile extends Part {
  /** [samples, outer, inner], written over by the next tile. */
  gradients: Float32Array;
  /** Whether `outer` are positions of the weight's columns and `inner` of its rows, or the other way round. */
  byColumns: boolean;
}

export class GradientTiles {
  readonly #runtime: Runtime;
  readonly #transpose: Session;
  readonly #part: Session;
  readonly #gram: Session;
  /** By the number of batches. */
  readonly #forms = new Map<number, Session>();
  #buffer = new Float32Array(0);
  /** The newest transposed side: q, k and v read the same x, and so do gate and up. */
  #transposed: { of: Tensor | null; all: Tensor[] } = { of: null, all: [] };

  private constructor(runtime: Runtime, [transpose, part, gram]: Session[]) {
    this.#runtime = runtime;
    this.#transpose = transpose;
    this.#part = part;
    this.#gram = gram;
  }

  static async create(runtime: Runtime): Promise<GradientTiles> {
    const graphs = [transposeGraph(), partGraph(), gramGraph()];
    return new GradientTiles(runtime, await Promise.all(graphs.map((g) => runtime.session(g))));
  }

  /**
   * Adds the upper triangle of S in the order of the batches.
   *
   * @param sums [samples, samples]
   * @param options.known first samples of that order whose pairs are left out
   * @param options.see called with each tile
   */
  async addProducts(
    captures: ModuleCaptures,
    tileSize: number,
    sums: Float64Array,
    { known = 0, see }: { known?: number; see?: ((tile: GradientTile) => Promise<void>) | undefined } = {},
  ): Promise<void> {
    const { rows, columns, batches } = captures;
    const total = Math.sqrt(sums.length);
    const byColumns = columns <= rows;
    const outer = await this.#turned(batches.map(({ x, y }) => (byColumns ? x : y)));
    const inner = batches.map(({ x, y }) => (byColumns ? y : x));
    const parts = tilesOf(Math.min(rows, columns), Math.max(rows, columns), total, tileSize);
    let from = outer;
    let held: Part['outer'] | null = null;
    for (const part of parts) {
      if (held?.[0] !== part.outer[0]) from = await this.#cut(outer, part.outer);
      held = part.outer;
      const width = (part.outer[1] - part.outer[0]) * (part.inner[1] - part.inner[0]);
      if (this.#buffer.length < total * width) this.#buffer = new Float32Array(total * width);
      const gradients = this.#buffer.subarray(0, total * width);
      await this.#form(from, inner, part.inner, gradients);
      await this.#multiply(gradients, width, sums, { total, known });
      await see?.({ ...part, gradients, byColumns });
    }
  }

  /**
   * Per-sample gradients of the weight's rows first..last-1, sample after sample in the order of the batches.
   * @param into [samples, last - first, columns]
   */
  async gradients({ batches }: ModuleCaptures, first: number, last: number, into: Float32Array): Promise<void> {
    const yt = await this.#cut(await this.#turned(batches.map(({ y }) => y)), [first, last]);
    const xs = batches.map(({ x }) => x);
    await this.#form(yt, xs, [0, xs[0].dims[2]], into);
  }

  /** Every batch's [B, T, width] as [B, width, T]. */
  async #turned(tensors: Tensor[]): Promise<Tensor[]> {
    if (this.#transposed.of !== tensors[0]) {
      this.#transposed = { of: tensors[0], all: [] };
      for (const y of tensors) this.#transposed.all.push((await this.#transpose.run({ y })).yt);
    }
    return this.#transposed.all;
  }

  /** Positions `range` of [B, width, T], or the tensors themselves where that is all of them. */
  async #cut(turned: Tensor[], [first, last]: [number, number]): Promise<Tensor[]> {
    if (first === 0 && last === turned[0].dims[1]) return turned;
    const cut: Tensor[] = [];
    for (const yt of turned) cut.push((await this.#part.run({ yt, ...bounds(first, last) })).part);
    return cut;
  }

  /** @param into [samples, outer, inner part] */
  async #form(outer: Tensor[], inner: Tensor[], [first, last]: [number, number], into: Float32Array): Promise<void> {
    let at = 0;
    for (let start = 0; start < outer.length; start += BATCHES_PER_RUN) {
      const count = Math.min(BATCHES_PER_RUN, outer.length - start);
      const feeds: Feeds = bounds(first, last);
      const targets: Feeds = {};
      for (let i = 0; i < count; i++) {
        const [samples, width] = outer[start + i].dims;
        feeds[`a${i}`] = outer[start + i];
        feeds[`b${i}`] = inner[start + i];
        const size = samples * width * (last - first);
        targets[`g${i}`] = floats(into.subarray(at, at + size), [samples, width, last - first]);
        at += size;
      }
      await (await this.#formOf(count)).run(feeds, targets);
    }
  }

  async #formOf(count: number): Promise<Session> {
    const known = this.#forms.get(count);
    if (known) return known;
    const made = await this.#runtime.session(formGraph(count));
    this.#forms.set(count, made);
    return made;
  }

  /** Adds the upper triangle of G Gᵀ, by blocks of rows: known ones with the others alone. */
  async #multiply(
    gradients: Float32Array,
    width: number,
    sums: Float64Array,
    { total, known }: { total: number; known: number },
  ): Promise<void> {
    const block = total < BLOCK.manyFrom ? BLOCK.few : BLOCK.many;
    for (let start = 0, end: number; start < total; start = end) {
      end = Math.min(start + block, start < known ? known : total);
      const from = Math.max(start, known);
      if (from === total) return;
      const a = floats(gradients.subarray(start * width, end * width), [end - start, width]);
      const b = floats(gradients.subarray(from * width), [total - from, width]);
      const products = numbers((await this.#gram.run({ a, b })).s);
      for (let i = start; i < end; i++) {
        const first = Math.max(i, from);
        for (let j = first; j < total; j++) sums[i * total + j] += products[(i - start) * (total - from) + (j - from)];
      }
    }
  }

  /** Lets go of the last captures. */
  rest(): void {
    this.#transposed = { of: null, all: [] };
  }

  async release(): Promise<void> {
    this.rest();
    this.#buffer = new Float32Array(0);
    for (const session of [this.#transpose, this.#part, this.#gram, ...this.#forms.values()]) await session.release();
    this.#forms.clear();
  }
}

/**
 * Tiles that cover outer x inner: in the cache where that leaves them wide enough, never above `tileSize` (but one
 * number).
 */
function tilesOf(outer: number, inner: number, samples: number, tileSize: number): Part[] {
  const wanted = Math.floor(CACHED_TILE / (samples * outer));
  const width = Math.min(inner, Math.max(WIDTH.least, Math.min(WIDTH.most, wanted - (wanted % WIDTH.least))));
  const most = Math.max(1, Math.floor(tileSize / samples));
  const step = { inner: Math.min(width, most), outer: Math.min(outer, Math.max(1, Math.floor(most / width))) };
  const parts: Part[] = [];
  for (let o = 0; o < outer; o += step.outer) {
    for (let i = 0; i < inner; i += step.inner) {
      parts.push({ outer: [o, Math.min(o + step.outer, outer)], inner: [i, Math.min(i + step.inner, inner)] });
    }
  }
  return parts;
}

function bounds(first: number, last: number): Feeds {
  return {
    first: integers(BigInt64Array.of(BigInt(first)), [1]),
    last: integers(BigInt64Array.of(BigInt(last)), [1]),
  };
}

/** y [B, T, rows] -> yt [B, rows, T] */
function transposeGraph(): Graph {
  const g = new Graph('transpose');
  g.output(g.transpose(g.input('y', 'float32', ['B', 'T', 'rows']), [0, 2, 1]), 'yt');
  return g;
}

/** Positions first..last-1 of an axis. */
function between(g: Graph, x: Value, [first, last]: Value[], axis: number): Value {
  return g.node('Slice', [x, first, last, g.ints([axis])])[0];
}

function boundInputs(g: Graph): Value[] {
  return ['first', 'last'].map((name) => g.input(name, 'int64', [1]));
}

/** yt [B, rows, T] -> part [B, last - first, T] */
function partGraph(): Graph {
  const g = new Graph('part');
  const yt = g.input('yt', 'float32', ['B', 'rows', 'T']);
  g.output(between(g, yt, boundInputs(g), 1), 'part');
  return g;
}

/**
 * For each of `count` batches: a [B, outer, T], b [B, T, inner] -> g [B, outer, last - first] = a b[:, :, first:last]
 */
function formGraph(count: number): Graph {
  const g = new Graph('gradient tile');
  const range = boundInputs(g);
  for (let i = 0; i < count; i++) {
    const a = g.input(`a${i}`, 'float32', [`B${i}`, 'outer', `T${i}`]);
    const b = g.input(`b${i}`, 'float32', [`B${i}`, `T${i}`, 'inner']);
    g.output(g.matMul(a, between(g, b, range, 2)), `g${i}`);
  }
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
