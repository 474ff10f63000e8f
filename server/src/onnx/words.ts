/**
 * The words that models and gradient rules are written in: one method per operator, on top of `Graph.node`.
 *
 * Operands may be plain numbers, which become scalars of the other operand's type. Axes may be negative. Lists of axes,
 * positions and sizes are constants; where a size is a symbol it is read from the shape of a tensor that has it.
 */
import type { AttributeInput, DataType, Dim, Outputs, Value } from './types.ts';
import { dataTypes, shapeText } from './types.ts';
import { axisOf, product, sameCount, sameShape } from './dims.ts';

export type Operand = Value | number;
/** A size: a number, a symbol, or an int64 tensor (a scalar or of one element) that holds it. */
export type Size = Dim | Value;

/** As the end of a slice: up to the last element. */
export const end = Number.MAX_SAFE_INTEGER;

export abstract class Words {
  abstract readonly inputs: readonly Value[];
  abstract node(
    op: string,
    inputs: readonly (Value | null)[],
    attributes?: Readonly<Record<string, AttributeInput>>,
    outputCount?: number,
  ): Outputs;
  abstract scalar(x: number, type?: DataType): Value;
  abstract ints(values: readonly number[]): Value;
  /** A value of the graph whose shape holds the symbol, with its axis. */
  abstract holderOf(symbol: string): { value: Value; axis: number } | null;
  /** The same tensor, known under a shape that says more. */
  abstract withShape(value: Value, shape: readonly Dim[]): Value;

  #unary(op: string, x: Value, attributes?: Readonly<Record<string, AttributeInput>>): Value {
    return this.node(op, [x], attributes)[0];
  }

  #binary(op: string, a: Operand, b: Operand): Value {
    const type = typeof a !== 'number' ? a.type : typeof b !== 'number' ? b.type : 'float32';
    return this.node(op, [this.operand(a, type), this.operand(b, type)])[0];
  }

  operand(x: Operand, type: DataType): Value {
    return typeof x === 'number' ? this.scalar(x, type) : x;
  }

  add(a: Operand, b: Operand): Value {
    return this.#binary('Add', a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return this.#binary('Sub', a, b);
  }
  mul(a: Operand, b: Operand): Value {
    return this.#binary('Mul', a, b);
  }
  div(a: Operand, b: Operand): Value {
    return this.#binary('Div', a, b);
  }
  pow(a: Operand, b: Operand): Value {
    return this.#binary('Pow', a, b);
  }
  max(a: Operand, b: Operand): Value {
    return this.#binary('Max', a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.#binary('Min', a, b);
  }
  equal(a: Operand, b: Operand): Value {
    return this.#binary('Equal', a, b);
  }
  less(a: Operand, b: Operand): Value {
    return this.#binary('Less', a, b);
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.#binary('LessOrEqual', a, b);
  }
  greater(a: Operand, b: Operand): Value {
    return this.#binary('Greater', a, b);
  }
  greaterOrEqual(a: Operand, b: Operand): Value {
    return this.#binary('GreaterOrEqual', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.#binary('And', a, b);
  }
  or(a: Value, b: Value): Value {
    return this.#binary('Or', a, b);
  }
  not(x: Value): Value {
    return this.#unary('Not', x);
  }
  neg(x: Value): Value {
    return this.#unary('Neg', x);
  }
  abs(x: Value): Value {
    return this.#unary('Abs', x);
  }
  sign(x: Value): Value {
    return this.#unary('Sign', x);
  }
  sqrt(x: Value): Value {
    return this.#unary('Sqrt', x);
  }
  reciprocal(x: Value): Value {
    return this.#unary('Reciprocal', x);
  }
  exp(x: Value): Value {
    return this.#unary('Exp', x);
  }
  log(x: Value): Value {
    return this.#unary('Log', x);
  }
  sin(x: Value): Value {
    return this.#unary('Sin', x);
  }
  cos(x: Value): Value {
    return this.#unary('Cos', x);
  }
  tanh(x: Value): Value {
    return this.#unary('Tanh', x);
  }
  sigmoid(x: Value): Value {
    return this.#unary('Sigmoid', x);
  }
  erf(x: Value): Value {
    return this.#unary('Erf', x);
  }
  relu(x: Value): Value {
    return this.#unary('Relu', x);
  }
  gelu(x: Value, approximate: 'none' | 'tanh' = 'none'): Value {
    return this.#unary('Gelu', x, { approximate });
  }
  /** x σ(x). ONNX Runtime joins the two nodes where nothing else reads σ(x). */
  silu(x: Value): Value {
    return this.mul(x, this.sigmoid(x));
  }
  softmax(x: Value, axis = -1): Value {
    return this.#unary('Softmax', x, { axis });
  }
  logSoftmax(x: Value, axis = -1): Value {
    return this.#unary('LogSoftmax', x, { axis });
  }
  clip(x: Value, low: Operand | null, high: Operand | null): Value {
    const bound = (b: Operand | null): Value | null => (b === null ? null : this.operand(b, x.type));
    return this.node('Clip', [x, bound(low), bound(high)])[0];
  }
  where(condition: Value, a: Operand, b: Operand): Value {
    const type = typeof a !== 'number' ? a.type : typeof b !== 'number' ? b.type : 'float32';
    return this.node('Where', [condition, this.operand(a, type), this.operand(b, type)])[0];
  }
  cast(x: Value, type: DataType): Value {
    return x.type === type ? x : this.#unary('Cast', x, { to: dataTypes[type].code });
  }
  identity(x: Value): Value {
    return this.#unary('Identity', x);
  }

  matMul(a: Value, b: Value): Value {
    return this.#binary('MatMul', a, b);
  }
  /** alpha A B + beta C, with A or B transposed where `transA` or `transB` is 1. */
  gemm(
    a: Value,
    b: Value,
    c: Value | null,
    attributes: { alpha?: number; beta?: number; transA?: 0 | 1; transB?: 0 | 1 } = {},
  ): Value {
    return this.node('Gemm', c ? [a, b, c] : [a, b], attributes)[0];
  }

  reduceSum(x: Value, axes: readonly number[] | null, keepdims: boolean | number = true): Value {
    return this.#reduce('ReduceSum', x, axes, keepdims);
  }
  reduceMean(x: Value, axes: readonly number[] | null, keepdims: boolean | number = true): Value {
    return this.#reduce('ReduceMean', x, axes, keepdims);
  }
  reduceMax(x: Value, axes: readonly number[] | null, keepdims: boolean | number = true): Value {
    return this.#reduce('ReduceMax', x, axes, keepdims);
  }
  #reduce(op: string, x: Value, axes: readonly number[] | null, keepdims: boolean | number): Value {
    return this.node(op, axes ? [x, this.ints(axes)] : [x], { keepdims: Number(keepdims) })[0];
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.#unary('Transpose', x, { perm });
  }
  /** The last two axes exchanged. */
  swapLast(x: Value): Value {
    const rank = x.shape.length;
    return this.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  }
  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.node('Unsqueeze', [x, this.ints(axes)])[0];
  }
  squeeze(x: Value, axes: readonly number[]): Value {
    return this.node('Squeeze', [x, this.ints(axes)])[0];
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 ? values[0] : this.node('Concat', values, { axis })[0];
  }
  slice(
    x: Value,
    starts: readonly number[] | Value,
    ends: readonly number[] | Value,
    axes: readonly number[] | Value,
    steps?: readonly number[] | Value,
  ): Value {
    const lists = [starts, ends, axes, ...(steps ? [steps] : [])];
    return this.node('Slice', [x, ...lists.map((list) => this.#list(list))])[0];
  }
  split<const S extends readonly number[]>(x: Value, sizes: S, axis: number): { -readonly [part in keyof S]: Value };
  split(x: Value, sizes: readonly number[] | Value, axis: number): Value[];
  split(x: Value, sizes: readonly number[] | Value, axis: number): Value[] {
    const count = 'name' in sizes ? sizes.shape[0] : sizes.length;
    if (typeof count !== 'number') throw new Error(`split of "${x.name}": the number of sizes must be known`);
    return this.node('Split', [x, this.#list(sizes)], { axis }, count);
  }
  gather(x: Value, indices: Value, axis = 0): Value {
    return this.node('Gather', [x, indices], { axis })[0];
  }
  gatherElements(x: Value, indices: Value, axis = 0): Value {
    return this.node('GatherElements', [x, indices], { axis })[0];
  }
  scatterElements(
    x: Value,
    indices: Value,
    updates: Value,
    axis = 0,
    reduction: 'none' | 'add' | 'mul' | 'max' | 'min' = 'none',
  ): Value {
    return this.node('ScatterElements', [x, indices, updates], { axis, reduction })[0];
  }
  scatterND(
    x: Value,
    indices: Value,
    updates: Value,
    reduction: 'none' | 'add' | 'mul' | 'max' | 'min' = 'none',
  ): Value {
    return this.node('ScatterND', [x, indices, updates], { reduction })[0];
  }
  /** `pads`: elements before each axis, then elements after each axis. */
  pad(x: Value, pads: readonly number[] | Value, value: Operand = 0): Value {
    return this.node('Pad', [x, this.#list(pads), this.operand(value, x.type)])[0];
  }
  tile(x: Value, repeats: readonly number[] | Value): Value {
    return this.node('Tile', [x, this.#list(repeats)])[0];
  }
  /** Keeps the lower (`upper` 0) or upper triangle of the last two axes, from diagonal `k` on. */
  trilu(x: Value, upper: 0 | 1, k = 0): Value {
    return this.node('Trilu', [x, this.scalar(k, 'int64')], { upper })[0];
  }
  cumSum(x: Value, axis: number, attributes: { exclusive?: 0 | 1; reverse?: 0 | 1 } = {}): Value {
    return this.node('CumSum', [x, this.scalar(axis, 'int64')], attributes)[0];
  }

  shapeOf(x: Value, start?: number, stop?: number): Value {
    const part = { ...(start === undefined ? {} : { start }), ...(stop === undefined ? {} : { end: stop }) };
    return this.#unary('Shape', x, part);
  }
  #list(list: readonly number[] | Value): Value {
    return 'name' in list ? list : this.ints(list);
  }

  /**
   * The int64 tensor of these sizes: constant where all are numbers, else read from shapes, first of `near`.
   * @throws Error when no tensor of the graph has the symbol.
   */
  sizes(dims: readonly Size[], near: readonly Value[] = []): Value {
    const known = dims.every((dim) => typeof dim !== 'object') ? dims : null;
    if (known?.every((dim) => typeof dim === 'number')) return this.ints(known);
    const whole = known && near.find((value) => sameShape(value.shape, known));
    if (whole) return this.shapeOf(whole);
    const parts = dims.map((dim) => {
      if (typeof dim === 'number') return this.ints([dim]);
      if (typeof dim === 'object') return dim.shape.length === 0 ? this.unsqueeze(dim, [0]) : dim;
      const holder = near.find((value) => value.shape.includes(dim));
      const at = holder ? { value: holder, axis: holder.shape.indexOf(dim) } : this.holderOf(dim);
      if (!at) throw new Error(`size ${shapeText(known ?? [dim])}: no tensor of the graph has a dimension "${dim}"`);
      return this.shapeOf(at.value, at.axis, at.axis + 1);
    });
    return this.concat(parts, 0);
  }

  /**
   * `dims`: numbers, symbols, int64 tensors, at most one -1. A symbol at the place it has in `x` is copied; one other
   * symbol is left to ONNX as -1; further ones are read from the shape of a tensor that has them.
   * @throws Error when the number of elements cannot match.
   */
  reshape(x: Value, dims: readonly Size[]): Value {
    const target: Size[] = dims.map((dim, i) => (typeof dim === 'string' && x.shape[i] === dim ? 0 : dim));
    const open = target.flatMap((dim, i) => (typeof dim === 'string' ? [i] : []));
    if (open.length > 0 && !target.includes(-1)) target[open.at(-1)!] = -1;
    const [result] = this.node('Reshape', [x, this.sizes(target, [x])]) as [Value];
    const names = dims.map((dim, i) => (typeof dim === 'string' ? dim : result.shape[i]));
    const [before, after] = [product(x.shape), product(names)];
    if (sameCount(before, after) === false) {
      throw new Error(
        `reshape of "${x.name}": ${shapeText(x.shape)} has ${before} elements, ${shapeText(names)} has ${after}`,
      );
    }
    return this.withShape(result, names);
  }
  /** Reads the shape of `like` when the graph runs only where its symbols have other places in `x`. */
  reshapeLike(x: Value, like: Value): Value {
    if (sameShape(x.shape, like.shape)) return x;
    const moved = like.shape.filter((dim, i) => typeof dim === 'string' && x.shape[i] !== dim);
    return moved.length < 2 ? this.reshape(x, like.shape) : this.#like('Reshape', x, like);
  }
  expand(x: Value, dims: readonly Size[]): Value {
    const [result] = this.node('Expand', [x, this.sizes(dims, [x])]) as [Value];
    return this.withShape(
      result,
      result.shape.map((dim, i) => {
        const wanted = dims[i - result.shape.length + dims.length];
        return typeof wanted === 'string' ? wanted : dim;
      }),
    );
  }
  expandLike(x: Value, like: Value): Value {
    if (sameShape(x.shape, like.shape)) return x;
    const numbers = like.shape.every((dim) => typeof dim === 'number');
    return numbers ? this.expand(x, like.shape) : this.#like('Expand', x, like);
  }
  #like(op: string, x: Value, like: Value): Value {
    return this.withShape(this.node(op, [x, this.shapeOf(like)])[0], like.shape);
  }
  zerosLike(x: Value): Value {
    return this.expandLike(this.scalar(0, x.type), x);
  }
  onesLike(x: Value): Value {
    return this.expandLike(this.scalar(1, x.type), x);
  }
  /** The number of elements along `axes`: a number where all sizes are, else a scalar of type `type`. */
  count(x: Value, axes: readonly number[], type: DataType): Operand {
    const places = axes.map((axis) => axisOf(axis, x.shape.length));
    const total = product(places.map((axis) => x.shape[axis]));
    if (typeof total === 'number') return total;
    const counts = places.map((axis) => this.shapeOf(x, axis, axis + 1));
    return this.cast(
      this.squeeze(
        counts.reduce((a, b) => this.mul(a, b)),
        [0],
      ),
      type,
    );
  }
}
