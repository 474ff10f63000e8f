/**
 * Sums and norms of gradients from the captures of one module, the gradients of single texts never held:
 *
 *   sum over the texts of a batch   G_b = Σ_i Yᵢᵀ Xᵢ = Yᵀ X over all their tokens, one product for each batch
 *   squared norm of one text        |Yᵢᵀ Xᵢ|² = Σ_ts (x_t · x_s)(y_t · y_s), or of the formed gradient where that is less work
 *
 * Text i belongs to batch i mod count, so that texts that lie sorted in a file are dealt out evenly. Where Gram
 * products form the gradients anyway, sums are taken from these (`dealtSums.ts`).
 */
import { Graph } from '../../onnx/graph.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Runtime, Session, Tensor } from '../runtime/runtime.ts';
import type { Batch } from '../sweep/batch.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';
import type { Standard } from '../../scores/claimed.ts';
import { DealtSums } from './dealtSums.ts';
import type { EntrySums } from './summedGradients.ts';
import type { WorkMemory } from './workMemory.ts';

type Part = ModuleCaptures['batches'][number];

export class GradientSums {
  readonly #sum: Session;
  readonly #tokens: Session;
  readonly #formed: Session;
  readonly #dealt: Session;
  readonly #below: Session;
  /** Inputs by batch of the newest x: q, k and v read the same one. */
  #inputs: { of: Tensor; count: number; rows: Float32Array[] } | null = null;

  private constructor([sum, tokens, formed, dealt, below]: Session[]) {
    this.#sum = sum;
    this.#tokens = tokens;
    this.#formed = formed;
    this.#dealt = dealt;
    this.#below = below;
  }

  static async create(runtime: Runtime): Promise<GradientSums> {
    const graphs = [sumGraph(), tokenNormGraph(), formedNormGraph(), dealtGraph(), belowGraph()];
    return new GradientSums(await Promise.all(graphs.map((graph) => runtime.session(graph))));
  }

  /**
   * @param parts captures of the texts
   * @param room where the numbers of a batch go, [rows, columns]
   * @returns per batch of texts its summed gradient [rows, columns]
   */
  async sums(
    { rows, columns }: Pick<ModuleCaptures, 'rows' | 'columns'>,
    parts: Part[],
    count: number,
    room: (batch: number) => Float32Array = () => new Float32Array(rows * columns),
  ): Promise<Float32Array[]> {
    if (parts.length === 0) return [];
    if (this.#inputs?.of !== parts[0].x || this.#inputs.count !== count) {
      this.#inputs = { of: parts[0].x, count, rows: gathered(parts, 'x', columns, count) };
    }
    const outputs = gathered(parts, 'y', rows, count);
    const sums: Float32Array[] = [];
    for (const [b, y] of outputs.entries()) {
      const x = this.#inputs.rows[b];
      const tokens = y.length / rows;
      const sum = room(b);
      await this.#sum.run(
        { y: floats(y, [tokens, rows]), x: floats(x, [tokens, columns]) },
        { g: floats(sum, [rows, columns]) },
      );
      sums.push(sum);
    }
    return sums;
  }

  /** Takes sums from the tiles of a module's Gram products. @param batches in the order of the tiles' samples */
  dealt(
    matrix: Pick<ModuleCaptures, 'rows' | 'columns'>,
    counts: readonly number[],
    batches: readonly Batch[],
    memory: WorkMemory,
  ): DealtSums {
    return new DealtSums(this.#dealt, matrix, counts, batches, memory);
  }

  /** How many standardised weights are below what is left without each batch of texts, standardised too. */
  async countBelow(
    weight: Float32Array,
    own: Standard,
    parts: readonly EntrySums[],
    rests: readonly Standard[],
  ): Promise<Float64Array> {
    const counts = new Float64Array(rests.length);
    for (const { first, width, batch, sums } of parts) {
      const batches = sums.length / width;
      const chosen = rests.slice(batch, batch + batches);
      const { count } = await this.#below.run({
        w: floats(weight.subarray(first, first + width), [width]),
        r: floats(sums, [batches, width]),
        ownScale: floats(Float32Array.of(own.scale), [1]),
        ownOffset: floats(Float32Array.of(own.offset), [1]),
        scale: floats(
          Float32Array.from(chosen, (rest) => rest.scale),
          [batches, 1],
        ),
        offset: floats(
          Float32Array.from(chosen, (rest) => rest.offset),
          [batches, 1],
        ),
      });
      numbers(count).forEach((found, b) => (counts[batch + b] += found));
    }
    return counts;
  }

  /** Squared norm of the gradient of each text, by its index. */
  async squaredNorms(
    { rows, columns }: Pick<ModuleCaptures, 'rows' | 'columns'>,
    parts: Part[],
    texts: number,
  ): Promise<Float64Array> {
    const norms = new Float64Array(texts);
    for (const part of parts) {
      const found = await this.squaredNormsOf({ rows, columns }, part);
      part.batch.samples.forEach((text, row) => (norms[text] = found[row]));
    }
    return norms;
  }

  /** Squared norm of the gradient of each text of one batch, in its order. */
  async squaredNormsOf(
    { rows, columns }: Pick<ModuleCaptures, 'rows' | 'columns'>,
    { batch, x, y }: Part,
  ): Promise<Float64Array> {
    const byTokens = batch.length * (rows + columns) <= rows * columns;
    const { s } = await (byTokens ? this.#tokens : this.#formed).run({ x, y });
    return s.data as Float64Array;
  }

  /** Lets go of the last captures. */
  rest(): void {
    this.#inputs = null;
  }

  async release(): Promise<void> {
    this.rest();
    const sessions = [this.#sum, this.#tokens, this.#formed, this.#dealt, this.#below];
    for (const session of sessions) await session.release();
  }
}

/** Rows of the tokens, without padding, of each batch of texts: [tokens, width]. */
function gathered(parts: Part[], which: 'x' | 'y', width: number, count: number): Float32Array[] {
  const sizes = new Array<number>(count).fill(0);
  for (const { batch } of parts) batch.samples.forEach((text, row) => (sizes[text % count] += batch.lengths[row]));
  const rows = sizes.map((size) => new Float32Array(size * width));
  const filled = new Array<number>(count).fill(0);
  for (const { batch, ...values } of parts) {
    const all = numbers(values[which]);
    batch.samples.forEach((text, row) => {
      const start = row * batch.length * width;
      const part = all.subarray(start, start + batch.lengths[row] * width);
      rows[text % count].set(part, filled[text % count]);
      filled[text % count] += part.length;
    });
  }
  return rows;
}

/** y [tokens, rows], x [tokens, columns] -> g [rows, columns] = yᵀ x */
function sumGraph(): Graph {
  const g = new Graph('summed gradient');
  const y = g.input('y', 'float32', ['tokens', 'rows']);
  const x = g.input('x', 'float32', ['tokens', 'columns']);
  g.output(g.node('Gemm', [y, x], { transA: 1 })[0], 'g');
  return g;
}

/** dealt [sums, samples], gradients [samples, width] -> sums [sums, width] */
function dealtGraph(): Graph {
  const g = new Graph('gradients summed by batches of texts');
  const dealt = g.input('dealt', 'float32', ['sums', 'samples']);
  g.output(g.matMul(dealt, g.input('gradients', 'float32', ['samples', 'width'])), 'sums');
  return g;
}

/** w [width], r [batches, width], each scaled and moved -> how many of w are below r, [batches], below 2^24 */
function belowGraph(): Graph {
  const g = new Graph('weights below gradients');
  const column = (name: string) => g.input(name, 'float32', ['batches', 1]);
  const r = g.sub(g.mul(g.input('r', 'float32', ['batches', 'width']), column('scale')), column('offset'));
  const size = g.abs(g.input('w', 'float32', ['width']));
  const w = g.sub(g.mul(size, g.input('ownScale', 'float32', [1])), g.input('ownOffset', 'float32', [1]));
  g.output(g.reduceSum(g.cast(g.less(w, r), 'float32'), [1], false), 'count');
  return g;
}

/** x [B, T, columns], y [B, T, rows] -> s [B], the last sum in float64 */
function tokenNormGraph(): Graph {
  const g = new Graph('norms by tokens');
  const pairs = (name: string) => {
    const value = g.input(name, 'float32', ['B', 'T', name]);
    return g.matMul(value, g.transpose(value, [0, 2, 1]));
  };
  const overSecond = g.cast(g.reduceSum(g.mul(pairs('x'), pairs('y')), [2], false), 'float64');
  g.output(g.reduceSum(overSecond, [1], false), 's');
  return g;
}

/** x [B, T, columns], y [B, T, rows] -> s [B], the last sum in float64 */
function formedNormGraph(): Graph {
  const g = new Graph('norms of gradients');
  const x = g.input('x', 'float32', ['B', 'T', 'columns']);
  const y = g.input('y', 'float32', ['B', 'T', 'rows']);
  const gradient = g.matMul(g.transpose(y, [0, 2, 1]), x);
  const byRow = g.cast(g.reduceSum(g.mul(gradient, gradient), [2], false), 'float64');
  g.output(g.reduceSum(byRow, [1], false), 's');
  return g;
}
