/**
 * Gram products by tokens: <Yᵢᵀ Xᵢ, Yⱼᵀ Xⱼ> = Σ (Xᵢ Xⱼᵀ) ∘ (Yᵢ Yⱼᵀ), summed over the T x T pairs of positions. The
 * gradients are never formed ("ghost" products, Goodfellow 2015, arXiv 1510.01799); the cost grows with the square of
 * the number of tokens and with rows + columns instead of rows x columns. Padded positions have a zero cotangent and
 * add nothing.
 */
import { Graph } from '../../onnx/graph.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Runtime, Session, Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

/**
 * Tokens of a block of samples: large enough for the matrix unit, small enough that the mirrored half is not computed.
 */
const BLOCK_TOKENS = 256;

/** Some consecutive samples of a batch. */
interface Part {
  samples: number;
  length: number;
  /** Position of the first sample in the order of the batches. */
  start: number;
  x: Tensor;
  y: Tensor;
}

export class TokenProducts {
  readonly #product: Session;
  readonly #combine: Session;
  /** Products of inputs: q, k and v read the same one, and so do gate and up. */
  #inputs: Tensor | null = null;
  readonly #known = new Map<string, Tensor>();

  private constructor(product: Session, combine: Session) {
    this.#product = product;
    this.#combine = combine;
  }

  static async create(runtime: Runtime): Promise<TokenProducts> {
    return new TokenProducts(await runtime.session(productGraph()), await runtime.session(combineGraph()));
  }

  /**
   * Adds the upper triangle of S in the order of the batches.
   *
   * @param sums [samples, samples]
   * @param known first samples of that order, of whole batches, whose pairs are left out
   */
  async addProducts(captures: ModuleCaptures, sums: Float64Array, known = 0): Promise<void> {
    const total = Math.sqrt(sums.length);
    if (this.#inputs !== captures.batches[0].x) this.#known.clear();
    this.#inputs = captures.batches[0].x;
    for (const [a, b] of pairs(captures).filter(([, later]) => later.start >= known)) {
      const key = `${a.start} ${b.start}`;
      const p = this.#known.get(key) ?? (await this.#pair(a, b, 'x'));
      this.#known.set(key, p);
      const { s } = await this.#combine.run({ p, q: await this.#pair(a, b, 'y') });
      const block = s.data as Float64Array;
      for (let i = 0; i < a.samples; i++) {
        const row = (a.start + i) * total + b.start;
        for (let j = 0; j < b.samples; j++) sums[row + j] += block[i * b.samples + j];
      }
    }
  }

  /** Inner products of all positions: [A, T, B, U]. */
  async #pair(a: Part, b: Part, which: 'x' | 'y'): Promise<Tensor> {
    const { p } = await this.#product.run({ a: a[which], b: b[which] });
    return floats(numbers(p), [a.samples, a.length, b.samples, b.length]);
  }

  /** Lets go of the last captures. */
  rest(): void {
    this.#inputs = null;
    this.#known.clear();
  }

  async release(): Promise<void> {
    this.rest();
    await this.#product.release();
    await this.#combine.release();
  }
}

/**
 * Blocks of a batch with the rest of it, and whole batches with each later one: every pair of samples once, few runs.
 */
function pairs({ batches, rows, columns }: ModuleCaptures): [Part, Part][] {
  const part = (index: number, start: number, from: number, to: number): Part => {
    const { batch, x, y } = batches[index];
    const flat = (tensor: Tensor, width: number) => {
      const size = batch.length * width;
      return floats(numbers(tensor).subarray(from * size, to * size), [(to - from) * batch.length, width]);
    };
    return { samples: to - from, length: batch.length, start: start + from, x: flat(x, columns), y: flat(y, rows) };
  };
  const starts: number[] = [];
  let samples = 0;
  for (const { batch } of batches) {
    starts.push(samples);
    samples += batch.samples.length;
  }
  const all: [Part, Part][] = [];
  for (const [i, { batch }] of batches.entries()) {
    const count = batch.samples.length;
    const step = Math.max(1, Math.floor(BLOCK_TOKENS / batch.length));
    for (let from = 0; from < count; from += step) {
      all.push([part(i, starts[i], from, Math.min(count, from + step)), part(i, starts[i], from, count)]);
    }
    for (let j = i + 1; j < batches.length; j++) {
      all.push([part(i, starts[i], 0, count), part(j, starts[j], 0, batches[j].batch.samples.length)]);
    }
  }
  return all;
}

/** a [m, width], b [n, width] -> p [m, n] = a bᵀ */
function productGraph(): Graph {
  const g = new Graph('token products');
  const a = g.input('a', 'float32', ['m', 'width']);
  const b = g.input('b', 'float32', ['n', 'width']);
  g.output(g.node('Gemm', [a, b], { transB: 1 })[0], 'p');
  return g;
}

/**
 * p, q [A, T, B, U] -> s [A, B] in float64: products and the sum over the second sample's positions in float32, the sum
 * over the first one's in float64.
 */
function combineGraph(): Graph {
  const g = new Graph('token sums');
  const p = g.input('p', 'float32', ['A', 'T', 'B', 'U']);
  const q = g.input('q', 'float32', ['A', 'T', 'B', 'U']);
  const overSecond = g.cast(g.reduceSum(g.mul(p, q), [3], false), 'float64');
  g.output(g.reduceSum(overSecond, [1], false), 's');
  return g;
}
