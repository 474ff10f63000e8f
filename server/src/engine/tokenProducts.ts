/**
 * Gram products by tokens: <Yᵢᵀ Xᵢ, Yⱼᵀ Xⱼ> = Σ (Xᵢ Xⱼᵀ) ∘ (Yᵢ Yⱼᵀ), summed over the T x T pairs of positions. The gradients are
 * never formed ("ghost" products, Goodfellow 2015, arXiv 1510.01799); the cost grows with the square of the number of tokens
 * and with rows + columns instead of rows x columns. Padded positions have a zero cotangent and add nothing.
 */
import { Graph } from '../onnx/graph.ts';
import type { Value } from '../onnx/graph.ts';
import type { Runtime, Session } from './runtime.ts';
import type { ModuleCaptures } from './sweep.ts';

export class TokenProducts {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async create(runtime: Runtime): Promise<TokenProducts> {
    return new TokenProducts(await runtime.session(pairGraph()));
  }

  /** Adds the upper triangle of S in the order of the batches. @param sums [samples, samples] */
  async addProducts({ batches }: ModuleCaptures, sums: Float64Array): Promise<void> {
    const total = Math.sqrt(sums.length);
    let row = 0;
    for (const [i, a] of batches.entries()) {
      const height = a.batch.samples.length;
      let column = row;
      for (const b of batches.slice(i)) {
        const width = b.batch.samples.length;
        const { s } = await this.#session.run({ xa: a.x, xb: b.x, ya: a.y, yb: b.y });
        const block = s.data as Float64Array;
        for (let p = 0; p < height; p++) {
          const start = (row + p) * total + column;
          for (let q = 0; q < width; q++) sums[start + q] += block[p * width + q];
        }
        column += width;
      }
      row += height;
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/**
 * xa [A, T, columns], xb [B, U, columns], ya [A, T, rows], yb [B, U, rows] -> s [A, B] in float64: products and the sum over the
 * second sample's positions in float32, the sum over the first one's in float64.
 */
function pairGraph(): Graph {
  const g = new Graph('token products');
  const input = (name: string, batch: string, length: string, width: string) =>
    g.input(name, 'float32', [batch, length, width]);
  const [xa, xb] = [input('xa', 'A', 'T', 'columns'), input('xb', 'B', 'U', 'columns')];
  const [ya, yb] = [input('ya', 'A', 'T', 'rows'), input('yb', 'B', 'U', 'rows')];
  const product = (a: Value, b: Value) => {
    const rows = (x: Value) => g.reshape(x, [-1, x.shape[2]]);
    return g.node('Gemm', [rows(a), rows(b)], { transB: 1 })[0];
  };
  const paired = g.reshape(g.mul(product(xa, xb), product(ya, yb)), ['A', 'T', 'B', 'U']);
  const overSecond = g.cast(g.reduceSum(paired, [3], false), 'float64');
  g.output(g.reduceSum(overSecond, [1], false), 's');
  return g;
}
