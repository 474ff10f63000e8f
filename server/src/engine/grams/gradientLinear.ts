/**
 * What the linear mode makes of captures, the gradients of single samples never held, for a matrix [rows, columns]:
 *
 *   weighted sum   A + Σᵢ wᵢ Yᵢᵀ Xᵢ, one product over all tokens of a batch
 *   products       y_tᵀ A x_t of every token; their sum over a sample's tokens is < Yᵀ X, A >
 *
 * Both are one matrix product per batch and run along the narrower side where an elementwise step is due.
 */
import { Graph } from '../../onnx/graph.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Runtime, Session, Tensor } from '../runtime/runtime.ts';
import type { ModuleCaptures } from '../sweep/captures.ts';

type Part = ModuleCaptures['batches'][number];
type Size = Pick<ModuleCaptures, 'rows' | 'columns'>;
type Side = 'x' | 'y';

export class GradientLinear {
  readonly #add: Session;
  readonly #addWeighted: Record<Side, Session>;
  readonly #product: Record<Side, Session>;

  private constructor(add: Session, addWeighted: Record<Side, Session>, product: Record<Side, Session>) {
    this.#add = add;
    this.#addWeighted = addWeighted;
    this.#product = product;
  }

  static async create(runtime: Runtime): Promise<GradientLinear> {
    const both = async (graph: (side: Side) => Graph) => ({
      x: await runtime.session(graph('x')),
      y: await runtime.session(graph('y')),
    });
    return new GradientLinear(await runtime.session(addGraph(null)), await both(addGraph), await both(productGraph));
  }

  /**
   * @param sum [rows, columns], not changed
   * @param weights one a sample of the batch; all 1 without
   * @returns the new sum
   */
  async added(sum: Tensor, { rows, columns }: Size, part: Part, weights?: Float64Array): Promise<Tensor> {
    const feeds = { a: sum, x: flat(part.x, columns), y: flat(part.y, rows) };
    if (!weights) return (await this.#add.run(feeds)).s;
    const { length } = part.batch;
    const w = new Float32Array(weights.length * length);
    weights.forEach((weight, row) => w.fill(weight, row * length, (row + 1) * length));
    const session = this.#addWeighted[narrow(rows, columns)];
    return (await session.run({ ...feeds, w: floats(w, [w.length, 1]) })).s;
  }

  /** @param matrix [rows, columns] @returns a number a token, padding included: [B * T] */
  async products(matrix: Tensor, { rows, columns }: Size, part: Part): Promise<Float32Array> {
    const session = this.#product[narrow(rows, columns)];
    return numbers((await session.run({ a: matrix, x: flat(part.x, columns), y: flat(part.y, rows) })).p);
  }

  async release(): Promise<void> {
    const all = [this.#add, ...Object.values(this.#addWeighted), ...Object.values(this.#product)];
    for (const session of all) await session.release();
  }
}

function narrow(rows: number, columns: number): Side {
  return rows <= columns ? 'y' : 'x';
}

/** [B, T, width] as [B * T, width]. */
function flat(tensor: Tensor, width: number): Tensor {
  const all = numbers(tensor);
  return floats(all, [all.length / width, width]);
}

/** a [rows, columns], x [tokens, columns], y [tokens, rows], w [tokens, 1] on `side` -> s = a + (w y)ᵀ x */
function addGraph(side: Side | null): Graph {
  const g = new Graph('weighted sum of gradients');
  const a = g.input('a', 'float32', ['rows', 'columns']);
  const x = g.input('x', 'float32', ['tokens', 'columns']);
  const y = g.input('y', 'float32', ['tokens', 'rows']);
  const w = side && g.input('w', 'float32', ['tokens', 1]);
  const weighted = { x: w && side === 'x' ? g.mul(x, w) : x, y: w && side === 'y' ? g.mul(y, w) : y };
  g.output(g.node('Gemm', [weighted.y, weighted.x, a], { transA: 1 })[0], 's');
  return g;
}

/** a [rows, columns], x [tokens, columns], y [tokens, rows] -> p [tokens] = y_tᵀ a x_t, the sum over `side` */
function productGraph(side: Side): Graph {
  const g = new Graph('products with a matrix');
  const a = g.input('a', 'float32', ['rows', 'columns']);
  const x = g.input('x', 'float32', ['tokens', 'columns']);
  const y = g.input('y', 'float32', ['tokens', 'rows']);
  const [turned] = side === 'y' ? g.node('Gemm', [x, a], { transB: 1 }) : g.node('Gemm', [y, a]);
  g.output(g.reduceSum(g.mul(turned, side === 'y' ? y : x), [1], false), 'p');
  return g;
}
