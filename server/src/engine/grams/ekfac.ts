/**
 * EK-FAC (George et al. 2018, arXiv 1806.03884; for influence Grosse et al. 2023, arXiv 2308.03296) of one weight
 * matrix, from the captures of its module: inputs x and output cotangents y of every token.
 *
 *   A = E[x xᵀ], S = E[y yᵀ] over the tokens of the training samples, eigenvectors Q_A, Q_S
 *   G̃_i = Q_Sᵀ G_i Q_A = Σ_t (Q_Sᵀ y_t)(Q_Aᵀ x_t)ᵀ            Λ_ab = mean over samples of G̃_ab²
 *   B[i, j] = Σ_ab G̃_i,ab Ṽ_j,ab / (Λ_ab + λ)                 = v_jᵀ H⁻¹ g_i, positive = helps
 *
 * Rows of G̃ are formed a tile at a time, as in `gradientTiles.ts`. With the empirical Fisher Λ is of the training
 * gradients themselves, with the true Fisher of gradients for labels drawn from the model (`sampledLabels.ts`). Every
 * token that is not padding enters A and S, the last one of a text with y = 0, as in kronfluence. Projected captures
 * are ordinary captures of a smaller matrix. B is computed for a list of dampings, for they cost next to nothing beside
 * the gradients.
 */
import type { EkfacRequest } from '../../../../protocol/engine.ts';
import { Graph } from '../../onnx/graph.ts';
import { Covariances } from './eigenbasis.ts';
import type { Eigenbasis, Tokens } from './eigenbasis.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Runtime, Session, Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

/** A tile that stays in the cache, in numbers; but never fewer rows than keep the products efficient. */
const CACHED_TILE = 1 << 22;
const FEWEST_ROWS = 64;

export interface EkfacInfluence {
  /** Mean of Λ: the mean eigenvalue. */
  meanEigenvalue: number;
  /** λ, in the order of the request; 0 where the mean eigenvalue is. */
  dampings: Float64Array;
  /** [dampings, n, m] */
  B: Float64Array;
}

type Part = ModuleCaptures['batches'][0];

export class EkfacProducts {
  readonly #covariances: Covariances;
  readonly #rotate: Session;
  readonly #tile: Session;
  readonly #square: Session;
  readonly #product: Session;
  /** What the input x gives is shared by modules that read the same one: q, k and v, gate and up. */
  #shared: { x: Tensor; basis: Eigenbasis | null; rotated: Map<Tensor, Tensor> } | null = null;
  #buffer = new Float32Array(0);

  private constructor(covariances: Covariances, sessions: Session[]) {
    this.#covariances = covariances;
    [this.#rotate, this.#tile, this.#square, this.#product] = sessions;
  }

  static async create(runtime: Runtime): Promise<EkfacProducts> {
    const graphs = [rotateGraph(), tileGraph(), squareGraph(), productGraph()];
    return new EkfacProducts(
      await Covariances.create(runtime),
      await Promise.all(graphs.map((g) => runtime.session(g))),
    );
  }

  /**
   * @param captures batches of the training and the validation split, and of `fisher` for the true Fisher
   * @param train number of training samples n
   * @param validation number of validation samples m
   * @param tileSize upper bound of the numbers in one tile (one row of every sample at least)
   */
  async of(
    captures: ModuleCaptures,
    train: number,
    validation: number,
    tileSize: number,
    { fisher, damping }: EkfacRequest,
  ): Promise<EkfacInfluence> {
    const { rows, columns } = captures;
    const split = (name: string) => captures.batches.filter(({ batch }) => batch.split === name);
    const own = [...split('train'), ...split('validation')];
    const seen = fisher === 'true' ? split('fisher') : split('train');
    const nothing = { meanEigenvalue: 0, dampings: new Float64Array(damping.factors.length) };
    const none = { ...nothing, B: new Float64Array(damping.factors.length * train * validation) };

    const inputs = await this.#inputs(captures, split('train'));
    const outputs = await this.#covariances.eigenbasis(
      seen.map((part) => realTokens(part, part.y, rows)),
      rows,
    );
    if (!inputs.basis || !outputs) return none;
    // Gradients of mean losses are tiny; rows of Q_S take a factor that brings them to order 1, and λ and Λ its square.
    const scale = 1 / Math.sqrt(inputs.basis.mean * outputs.mean);
    const basis = outputs.vectors.map((value) => value * scale);

    const count = train + validation;
    const perRow = columns * count;
    const most = Math.max(FEWEST_ROWS, Math.floor(CACHED_TILE / perRow));
    const rowsPerTile = Math.max(1, Math.min(rows, most, Math.floor(tileSize / perRow)));
    if (this.#buffer.length < perRow * rowsPerTile) this.#buffer = new Float32Array(perRow * rowsPerTile);
    const tiles = tilesOf(rows, rowsPerTile);
    let formed: Float32Array = this.#buffer;

    const eigenvalues = new Float32Array(rows * columns);
    let sum = 0;
    for (const [first, last] of tiles) {
      formed = await this.#form(fisher === 'true' ? seen : own, inputs.rotated, basis, captures, first, last);
      const width = (last - first) * columns;
      const { squares } = await this.#square.run({ g: floats(formed.subarray(0, train * width), [train, width]) });
      const found = numbers(squares);
      eigenvalues.set(found, first * columns);
      for (const value of found) sum += value;
    }
    const mean = sum / eigenvalues.length; // of scale² Λ
    if (mean === 0) return none;
    const scaled = damping.factors.map((factor) => (damping.relative ? factor * mean : factor * scale * scale));

    const sums = scaled.map(() => new Float64Array(train * validation));
    for (const [first, last] of tiles) {
      // The only tile of the training gradients is still there.
      if (tiles.length > 1 || fisher === 'true')
        formed = await this.#form(own, inputs.rotated, basis, captures, first, last);
      const width = (last - first) * columns;
      const feeds = {
        g: floats(formed.subarray(0, train * width), [train, width]),
        v: floats(formed.subarray(train * width, count * width), [validation, width]),
        eigenvalues: floats(eigenvalues.subarray(first * columns, last * columns), [width]),
      };
      for (const [f, value] of scaled.entries()) {
        const { b } = await this.#product.run({ ...feeds, damping: floats(Float32Array.of(value), [1]) });
        const products = numbers(b);
        for (let i = 0; i < products.length; i++) sums[f][i] += products[i];
      }
    }
    const B = new Float64Array(scaled.length * train * validation);
    const rowOf = split('train').flatMap(({ batch }) => batch.samples);
    const columnOf = split('validation').flatMap(({ batch }) => batch.samples);
    sums.forEach((values, f) => {
      for (let i = 0; i < train; i++)
        for (let j = 0; j < validation; j++)
          B[(f * train + rowOf[i]) * validation + columnOf[j]] = values[i * validation + j];
    });
    const squared = scale * scale;
    return { meanEigenvalue: mean / squared, dampings: Float64Array.from(scaled, (value) => value / squared), B };
  }

  /** Q_A of the training tokens, and x Q_A of every batch. */
  async #inputs(
    captures: ModuleCaptures,
    train: Part[],
  ): Promise<{ basis: Eigenbasis | null; rotated: Map<Tensor, Tensor> }> {
    const { x } = train[0];
    if (this.#shared?.x === x) return this.#shared;
    const { columns } = captures;
    const basis = await this.#covariances.eigenbasis(
      train.map((part) => realTokens(part, part.x, columns)),
      columns,
    );
    const rotated = new Map<Tensor, Tensor>();
    if (basis) {
      const q = floats(basis.vectors, [columns, columns]);
      for (const part of captures.batches) {
        if (!rotated.has(part.x)) rotated.set(part.x, (await this.#rotate.run({ x: part.x, q })).r);
      }
    }
    this.#shared = { x, basis, rotated };
    return this.#shared;
  }

  /** G̃ rows first..last-1 of the samples of `parts`, in their order: [samples, last - first, columns]. */
  async #form(
    parts: Part[],
    rotated: Map<Tensor, Tensor>,
    basis: Float32Array,
    { rows, columns }: ModuleCaptures,
    first: number,
    last: number,
  ): Promise<Float32Array> {
    const q = floats(basis.subarray(first * rows, last * rows), [last - first, rows]);
    const width = (last - first) * columns;
    let at = 0;
    for (const { batch, x, y } of parts) {
      const size = batch.samples.length * width;
      const g = floats(this.#buffer.subarray(at, at + size), [batch.samples.length, last - first, columns]);
      await this.#tile.run({ x: rotated.get(x)!, y, q }, { g });
      at += size;
    }
    return this.#buffer.subarray(0, at);
  }

  async release(): Promise<void> {
    this.#shared = null;
    await this.#covariances.release();
    for (const session of [this.#rotate, this.#tile, this.#square, this.#product]) await session.release();
  }
}

/** Without the padding. @param tensor [B, T, width] */
function realTokens({ batch }: Part, tensor: Tensor, width: number): Tokens {
  const all = numbers(tensor);
  const tokens = batch.lengths.reduce((a, b) => a + b, 0);
  if (tokens === batch.samples.length * batch.length) return { data: all, tokens };
  const data = new Float32Array(tokens * width);
  let at = 0;
  batch.lengths.forEach((length, row) => {
    const start = row * batch.length * width;
    data.set(all.subarray(start, start + length * width), at);
    at += length * width;
  });
  return { data, tokens };
}

function tilesOf(rows: number, step: number): [number, number][] {
  return Array.from({ length: Math.ceil(rows / step) }, (_, i) => [i * step, Math.min(rows, (i + 1) * step)]);
}

/** x [B, T, width], q [width, width] with an eigenvector a row -> r = x qᵀ */
function rotateGraph(): Graph {
  const g = new Graph('rotate');
  const x = g.input('x', 'float32', ['B', 'T', 'width']);
  const q = g.input('q', 'float32', ['width', 'width']);
  g.output(g.matMul(x, g.transpose(q, [1, 0])), 'r');
  return g;
}

/** x [B, T, columns] rotated, y [B, T, rows], q [k, rows] -> g [B, k, columns] = q Yᵀ X */
function tileGraph(): Graph {
  const g = new Graph('rotated gradients');
  const x = g.input('x', 'float32', ['B', 'T', 'columns']);
  const y = g.input('y', 'float32', ['B', 'T', 'rows']);
  const q = g.input('q', 'float32', ['k', 'rows']);
  g.output(g.matMul(g.matMul(q, g.transpose(y, [0, 2, 1])), x), 'g');
  return g;
}

/** g [n, width] -> squares [width], the mean square of each column */
function squareGraph(): Graph {
  const g = new Graph('corrected eigenvalues');
  const x = g.input('g', 'float32', ['n', 'width']);
  g.output(g.reduceMean(g.mul(x, x), [0], false), 'squares');
  return g;
}

/** g [n, width], v [m, width], eigenvalues [width], damping [1] -> b [n, m] = g diag(1 / (eigenvalues + damping)) vᵀ */
function productGraph(): Graph {
  const g = new Graph('damped products');
  const a = g.input('g', 'float32', ['n', 'width']);
  const v = g.input('v', 'float32', ['m', 'width']);
  const total = g.add(g.input('eigenvalues', 'float32', ['width']), g.input('damping', 'float32', [1]));
  g.output(g.node('Gemm', [a, g.div(v, total)], { transB: 1 })[0], 'b');
  return g;
}
