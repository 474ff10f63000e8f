/**
 * Shape and type inference, one row per operator, in alphabetical order.
 *
 * A row gets the inputs and attributes of a node and answers the type and shape of every output; it throws a sentence
 * about what does not fit, to which `Graph.node` adds the node and its inputs. Equal symbols match, 1 broadcasts,
 * everything else is an error. To add an operator: one row here; `g.node(...)` can then build it.
 */
import type { AttributeReader } from './attributes.ts';
import type { Contents } from './contents.ts';
import { sortedAxes } from './contents.ts';
import {
  convolutionShape,
  globalPoolShape,
  poolShape,
  resizeShape,
  transposedConvolutionShape,
} from './spatialShapes.ts';
import { axisOf, broadcast, product, quotient, sameCount, sum } from './dims.ts';
import type { DataType, Dim, Value } from './types.ts';
import { dataTypeOf, shapeText } from './types.ts';

export interface Typed {
  type: DataType;
  shape: readonly Dim[];
}

export interface Shaping extends AttributeReader {
  inputs: readonly (Value | null)[];
  outputCount: number;
  /** The input, which must be there. */
  x(i: number): Value;
  /** What is known of a small integer input, null when nothing is. */
  contents(i: number): Contents | null;
  /** An integer input that must be constant. */
  constants(i: number): readonly number[];
  /** The content of a constant input of any type, null where it is none. */
  floats(i: number): readonly number[] | null;
  /** A new symbol, for a size that only running tells. */
  unknown(): Dim;
}

type Row = (s: Shaping) => Typed[];

const like =
  (type?: DataType): Row =>
  (s) => [{ type: type ?? s.x(0).type, shape: s.x(0).shape }];
const same = like();

/** Elementwise with broadcasting over all inputs from `first` on. */
const elementwise =
  (result?: DataType, first = 0): Row =>
  (s) => {
    const operands = s.inputs.slice(first).map((_, i) => s.x(first + i));
    for (const operand of operands) sameType(operands[0], operand);
    const shape = operands.reduce<Dim[]>((all, operand) => broadcast(all, operand.shape), []);
    return [{ type: result ?? operands[0].type, shape }];
  };
const arithmetic = elementwise();
const comparison = elementwise('bool');

/** From opset 18 on the axes are the second input; none means all. */
const reduction: Row = (s) => {
  const x = s.x(0);
  const keep = s.int('keepdims', 1) !== 0;
  let axes: readonly number[] = s.inputs[1] ? s.constants(1) : (s.ints('axes') ?? []);
  if (axes.length === 0) {
    if (s.int('noop_with_empty_axes', 0) !== 0) return [x];
    axes = x.shape.map((_, i) => i);
  }
  const reduced = new Set(sortedAxes(axes, x.shape.length));
  const shape = x.shape.flatMap((dim, i) => (reduced.has(i) ? (keep ? [1] : []) : [dim]));
  return [{ type: x.type, shape }];
};

const argument: Row = (s) => {
  const { shape } = s.x(0);
  const axis = axisOf(s.int('axis', 0), shape.length);
  const keep = s.int('keepdims', 1) !== 0;
  return [{ type: 'int64', shape: shape.flatMap((dim, i) => (i === axis ? (keep ? [1] : []) : [dim])) }];
};

/** y, and for LayerNormalization the mean and 1/deviation. */
const normalization: Row = (s) => {
  const x = s.x(0);
  const axis = axisOf(s.int('axis', -1), x.shape.length);
  const statistics: Typed = { type: 'float32', shape: x.shape.map((dim, i) => (i < axis ? dim : 1)) };
  return [x, ...Array.from({ length: s.outputCount - 1 }, () => statistics)];
};

const matrixProduct: Row = (s) => {
  const [a, b] = [s.x(0), s.x(1)];
  sameType(a, b);
  return [{ type: a.type, shape: matMulShape(a.shape, b.shape) }];
};

export const shapes: Readonly<Record<string, Row>> = {
  Abs: same,
  Add: arithmetic,
  And: comparison,
  ArgMax: argument,
  ArgMin: argument,
  AveragePool: (s) => poolShape(s).slice(0, 1),
  BatchNormalization: (s) => [s.x(0)],
  // The bits of one type read as another of the same size (opset 26).
  BitCast: (s) => shapes.Cast(s),
  Cast: (s) => {
    const type = dataTypeOf(s.int('to', 0));
    if (!type) throw new Error(`target type ${s.int('to', 0)} is not supported`);
    return [{ type, shape: s.x(0).shape }];
  },
  Ceil: same,
  Clip: same,
  Concat: (s) => {
    const parts = s.inputs.map((_, i) => s.x(i));
    const first = parts[0];
    const axis = axisOf(s.int('axis', 0), first.shape.length);
    for (const part of parts) {
      sameType(first, part);
      if (
        part.shape.length !== first.shape.length ||
        part.shape.some((dim, i) => i !== axis && dim !== first.shape[i])
      ) {
        throw new Error(`${shapeText(part.shape)} cannot be joined to ${shapeText(first.shape)} along axis ${axis}`);
      }
    }
    return [{ type: first.type, shape: first.shape.with(axis, sum(parts.map((part) => part.shape[axis]))) }];
  },
  Constant: (s) => {
    const tensor = s.tensor('value');
    if (tensor) return [tensor];
    const ints = s.ints('value_ints');
    if (ints) return [{ type: 'int64', shape: [ints.length] }];
    return [{ type: s.has('value_int') ? 'int64' : 'float32', shape: [] }];
  },
  ConstantOfShape: (s) => [{ type: s.tensor('value')?.type ?? 'float32', shape: sizes(s, 0) }],
  Conv: convolutionShape,
  ConvTranspose: transposedConvolutionShape,
  Cos: same,
  CumSum: same,
  Div: arithmetic,
  Dropout: (s) => [s.x(0), { type: 'bool' as const, shape: s.x(0).shape }].slice(0, s.outputCount),
  Einsum: (s) => [
    {
      type: s.x(0).type,
      shape: einsumShape(
        s.string('equation', ''),
        s.inputs.map((_, i) => s.x(i).shape),
      ),
    },
  ],
  Elu: same,
  Equal: comparison,
  Erf: same,
  Exp: same,
  Expand: (s) => [{ type: s.x(0).type, shape: broadcast(s.x(0).shape, sizes(s, 1)) }],
  Flatten: (s) => {
    const { type, shape } = s.x(0);
    const axis = s.int('axis', 1);
    const at = axis < 0 ? axis + shape.length : axis;
    return [{ type, shape: [product(shape.slice(0, at)), product(shape.slice(at))] }];
  },
  Floor: same,
  Gather: (s) => {
    const [x, indices] = [s.x(0), s.x(1)];
    const axis = axisOf(s.int('axis', 0), x.shape.length);
    return [{ type: x.type, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] }];
  },
  GatherElements: (s) => [{ type: s.x(0).type, shape: s.x(1).shape }],
  GatherND: (s) => {
    const [x, indices] = [s.x(0), s.x(1)];
    const depth = indices.shape.at(-1);
    if (typeof depth !== 'number') throw new Error('the last dimension of the indices must be a number');
    return [{ type: x.type, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(s.int('batch_dims', 0) + depth)] }];
  },
  Gelu: same,
  Gemm: (s) => {
    const [a, b] = [s.x(0), s.x(1)];
    sameType(a, b);
    const [m, k] = s.int('transA', 0) !== 0 ? [...a.shape].reverse() : a.shape;
    const [l, n] = s.int('transB', 0) !== 0 ? [...b.shape].reverse() : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || k !== l) {
      throw new Error(`${shapeText(a.shape)} times ${shapeText(b.shape)} is not a matrix product`);
    }
    return [{ type: a.type, shape: [m, n] }];
  },
  GlobalAveragePool: globalPoolShape,
  GlobalMaxPool: globalPoolShape,
  Greater: comparison,
  GreaterOrEqual: comparison,
  GroupNormalization: same,
  HardSigmoid: same,
  HardSwish: same,
  Identity: same,
  InstanceNormalization: same,
  IsInf: like('bool'),
  IsNaN: like('bool'),
  LayerNormalization: normalization,
  LeakyRelu: same,
  Less: comparison,
  LessOrEqual: comparison,
  Log: same,
  LogSoftmax: same,
  MatMul: matrixProduct,
  Max: arithmetic,
  MaxPool: (s) => poolShape(s).slice(0, s.outputCount),
  Mean: arithmetic,
  Min: arithmetic,
  Mod: arithmetic,
  Mul: arithmetic,
  Neg: same,
  Not: same,
  Or: comparison,
  Pad: (s) => {
    const { type, shape } = s.x(0);
    const axes = s.inputs[3] ? s.constants(3).map((axis) => axisOf(axis, shape.length)) : shape.map((_, i) => i);
    const pads = s.contents(1) ?? Array.from({ length: 2 * axes.length }, () => null);
    const padded = shape.map((dim, i) => {
      const at = axes.indexOf(i);
      if (at < 0) return dim;
      const [before, after] = [pads[at] ?? null, pads[at + axes.length] ?? null];
      return before === null || after === null ? s.unknown() : sum([dim, before, after]);
    });
    return [{ type, shape: padded }];
  },
  // The exponent may be of another type than the base.
  Pow: (s) => [{ type: s.x(0).type, shape: broadcast(s.x(0).shape, s.x(1).shape) }],
  RMSNormalization: normalization,
  Range: (s) => {
    const [start, limit, step] = [0, 1, 2].map((i) => s.contents(i)?.[0] ?? null);
    const counts = typeof start === 'number' && typeof limit === 'number' && typeof step === 'number';
    if (counts) return [{ type: s.x(0).type, shape: [Math.max(0, Math.ceil((limit - start) / step))] }];
    return [{ type: s.x(0).type, shape: [start === 0 && step === 1 && limit !== null ? limit : s.unknown()] }];
  },
  Reciprocal: same,
  ReduceL1: reduction,
  ReduceL2: reduction,
  ReduceLogSum: reduction,
  ReduceLogSumExp: reduction,
  ReduceMax: reduction,
  ReduceMean: reduction,
  ReduceMin: reduction,
  ReduceProd: reduction,
  ReduceSum: reduction,
  ReduceSumSquare: reduction,
  Relu: same,
  Reshape: (s) => [{ type: s.x(0).type, shape: reshaped(s.x(0).shape, sizes(s, 1), s.int('allowzero', 0) !== 0) }],
  Resize: resizeShape,
  Round: same,
  ScatterElements: same,
  ScatterND: same,
  Shape: (s) => {
    const rank = s.x(0).shape.length;
    const ends = s.x(0).shape.slice(s.int('start', 0), s.int('end', rank));
    return [{ type: 'int64', shape: [ends.length] }];
  },
  Sigmoid: same,
  Sign: same,
  Sin: same,
  Size: () => [{ type: 'int64', shape: [] }],
  Slice: (s) => {
    const { type, shape } = s.x(0);
    const [starts, ends] = [s.contents(1), s.contents(2)];
    const axes = s.inputs[3] ? s.constants(3).map((axis) => axisOf(axis, shape.length)) : shape.map((_, i) => i);
    const steps = s.inputs[4] ? s.constants(4) : axes.map(() => 1);
    const count = (dim: Dim, at: number): Dim => {
      const [start, end, step] = [starts?.[at] ?? null, ends?.[at] ?? null, steps[at]];
      return sliceLength(dim, start, end, step) ?? s.unknown();
    };
    const length = s.x(1).shape[0];
    if (typeof length === 'number' && !s.inputs[3]) axes.length = length;
    return [{ type, shape: shape.map((dim, i) => (axes.includes(i) ? count(dim, axes.indexOf(i)) : dim)) }];
  },
  Softmax: same,
  Softplus: same,
  Split: (s) => {
    const { type, shape } = s.x(0);
    const axis = axisOf(s.int('axis', 0), shape.length);
    const parts = s.inputs[1]
      ? s.contents(1)
      : Array.from({ length: s.outputCount }, () => quotient(shape[axis], s.outputCount));
    if (parts && parts.length !== s.outputCount) throw new Error(`${parts.length} sizes for ${s.outputCount} outputs`);
    if (
      parts?.every((part) => typeof part === 'number') &&
      typeof shape[axis] === 'number' &&
      sum(parts) !== shape[axis]
    ) {
      throw new Error(`sizes ${parts.join(' + ')} do not add up to ${shape[axis]} along axis ${axis}`);
    }
    return Array.from({ length: s.outputCount }, (_, i) => ({
      type,
      shape: shape.with(axis, parts?.[i] ?? s.unknown()),
    }));
  },
  Sqrt: same,
  Squeeze: (s) => {
    const { type, shape } = s.x(0);
    const axes = s.inputs[1]
      ? sortedAxes(s.constants(1), shape.length)
      : shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
    for (const axis of axes) {
      if (typeof shape[axis] === 'number' && shape[axis] !== 1)
        throw new Error(`axis ${axis} of ${shapeText(shape)} is not 1`);
    }
    return [{ type, shape: shape.filter((_, i) => !axes.includes(i)) }];
  },
  Sub: arithmetic,
  Sum: arithmetic,
  Swish: same,
  Tan: same,
  Tanh: same,
  Tile: (s) => {
    const { type, shape } = s.x(0);
    const repeats = s.contents(1);
    return [
      {
        type,
        shape: shape.map((dim, i) => (!repeats || repeats[i] === null ? s.unknown() : product([dim, repeats[i]]))),
      },
    ];
  },
  TopK: (s) => {
    const { type, shape } = s.x(0);
    const kept = shape.with(axisOf(s.int('axis', -1), shape.length), s.contents(1)?.[0] ?? s.unknown());
    return [
      { type, shape: kept },
      { type: 'int64', shape: kept },
    ];
  },
  Transpose: (s) => {
    const { type, shape } = s.x(0);
    const order = s.ints('perm') ?? shape.map((_, i) => shape.length - 1 - i);
    if (order.length !== shape.length || shape.some((_, i) => !order.includes(i))) {
      throw new Error(`perm ${shapeText(order)} does not order ${shape.length} axes`);
    }
    return [{ type, shape: order.map((axis) => shape[axis]) }];
  },
  Trilu: same,
  Unsqueeze: (s) => {
    const { type, shape } = s.x(0);
    const axes = s.constants(1);
    const rank = shape.length + axes.length;
    const at = new Set(sortedAxes(axes, rank));
    const rest = shape[Symbol.iterator]();
    return [{ type, shape: Array.from({ length: rank }, (_, i) => (at.has(i) ? 1 : rest.next().value!)) }];
  },
  Where: (s) => {
    const [{ type, shape }] = elementwise(undefined, 1)(s) as [Typed];
    return [{ type, shape: broadcast(s.x(0).shape, shape) }];
  },
  Xor: comparison,
};

function sameType(a: Value, b: Value): void {
  if (a.type !== b.type) throw new Error(`types ${a.type} ("${a.name}") and ${b.type} ("${b.name}") differ; cast one`);
}

/** An integer input read as a list of sizes. */
function sizes(s: Shaping, input: number): Dim[] {
  const known = s.contents(input);
  if (known) return known.map((dim) => dim ?? s.unknown());
  const length = s.x(input).shape[0];
  if (typeof length !== 'number')
    throw new Error(`the rank of the result is unknown: "${s.x(input).name}" has no fixed length`);
  return Array.from({ length }, () => s.unknown());
}

/** Reshape: 0 copies the dimension at its place, one -1 takes the rest. */
function reshaped(shape: readonly Dim[], target: readonly Dim[], allowZero: boolean): Dim[] {
  const result = target.map((dim, i) => (dim === 0 && !allowZero ? shape[i] : dim));
  const rest = product(result.filter((dim) => dim !== -1));
  const at = result.indexOf(-1);
  if (at >= 0) {
    const left = quotient(product(shape), rest);
    if (left === null && typeof product(shape) === 'number' && typeof rest === 'number') {
      throw new Error(`${shapeText(shape)} cannot be divided into ${shapeText(target)}`);
    }
    // Not a whole quotient of symbols: whatever it is, it has a name of its own.
    result[at] = left ?? `(${product(shape)}/${rest})`;
  } else if (sameCount(rest, product(shape)) === false) {
    throw new Error(`${shapeText(shape)} has ${product(shape)} elements, ${shapeText(target)} has ${rest}`);
  }
  return result;
}

/** Elements that start:end:step takes of `dim`, null when unknown. Negative positions count from the end. */
function sliceLength(dim: Dim, start: Dim | null, end: Dim | null, step: number): Dim | null {
  if (typeof dim === 'string') {
    if (step !== 1 || typeof start !== 'number' || start < 0)
      return step === -1 && start === -1 && Number(end) < -1e9 ? dim : null;
    if (end === dim || (typeof end === 'number' && end > 1e9)) return sum([dim, -start]);
    return typeof end === 'number' && end < 0 ? sum([dim, end - start]) : null;
  }
  if (typeof start !== 'number' || typeof end !== 'number')
    return typeof end === 'string' && start === 0 && step === 1 ? end : null;
  const clamp = (at: number, low: number, high: number): number =>
    Math.min(Math.max(at < 0 ? at + dim : at, low), high);
  return step > 0
    ? Math.max(0, Math.ceil((clamp(end, 0, dim) - clamp(start, 0, dim)) / step))
    : Math.max(0, Math.ceil((clamp(start, -1, dim - 1) - clamp(end, -1, dim - 1)) / -step));
}

/** MatMul in NumPy's sense: batch axes broadcast, a vector counts as a row on the left and as a column on the right. */
function matMulShape(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  if (a.length === 0 || b.length === 0) throw new Error('MatMul takes no scalars');
  const inner = b.length === 1 ? b[0] : b.at(-2);
  if (a.at(-1) !== inner)
    throw new Error(`${shapeText(a)} times ${shapeText(b)}: ${a.at(-1)} columns against ${inner} rows`);
  return [
    ...broadcast(a.slice(0, -2), b.slice(0, -2)),
    ...(a.length > 1 ? [a.at(-2)!] : []),
    ...(b.length > 1 ? [b.at(-1)!] : []),
  ];
}

function einsumShape(equation: string, inputs: readonly (readonly Dim[])[]): Dim[] {
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  if (right === undefined || equation.includes('.'))
    throw new Error(`equation "${equation}" needs "->" and no ellipsis`);
  const size = new Map<string, Dim>();
  left.split(',').forEach((letters, i) => {
    if (letters.length !== inputs[i]?.length)
      throw new Error(`"${letters}" does not name the axes of ${shapeText(inputs[i] ?? [])}`);
    [...letters].forEach((letter, axis) => {
      const dim = inputs[i][axis];
      const before = size.get(letter) ?? dim;
      if (before !== dim) throw new Error(`"${letter}" is both ${before} and ${dim} in "${equation}"`);
      size.set(letter, dim);
    });
  });
  return [...right].map((letter) => size.get(letter)!);
}
