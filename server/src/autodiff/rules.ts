/**
 * Reverse-mode rules, one row per ONNX operator, in alphabetical order.
 *
 * A rule gets the cotangent `dy` of the node's output and answers one cotangent per input, null where an input has none
 * (indices, sizes, masks). Rules only append nodes; they never touch the forward graph. A rule ignores broadcasting and
 * need not ask which inputs are wanted: the walk sums, spreads and drops (`types.ts`).
 *
 * To add an operator: a row here, a row in `test/autodiff/cases.ts`, and if it is new to the builder one in
 * `onnx/shapes.ts`. Nothing else. Rules that need more than an expression lie in `movement.ts` and `products.ts`.
 */
import { batchNormGradient, groupNormGradient, instanceNormGradient } from './channelNorms.ts';
import { convGradient, convTransposeGradient } from './convolution.ts';
import {
  gatherGradient,
  gatherNDGradient,
  padGradient,
  scatterGradient,
  sliceGradient,
  splitSizes,
  tileGradient,
} from './movement.ts';
import {
  averagePoolGradient,
  globalAverageGradient,
  globalMaxGradient,
  maxPoolGradient,
  resizeGradient,
} from './pools.ts';
import { einsumGradient, gemmGradient, matMulGradient } from './products.ts';
import {
  extremeGradient,
  extremum,
  layerNormGradient,
  meanGradient,
  reducedBack,
  rmsNormGradient,
} from './reductions.ts';
import type { GradRule } from './types.ts';
import { nth } from '../lists/nth.ts';

/** The same elements in another shape. */
const reshape: GradRule = ({ g, dy, x }) => [g.reshapeLike(dy, x[0])];
/** Constant between jumps: nothing flows back. */
const steps: GradRule = () => [null];

export const rules: Readonly<Record<string, GradRule>> = {
  Abs: ({ g, thin, x }) => [g.mul(thin, g.sign(x[0]))],
  Add: ({ thin }) => [thin, thin],
  AveragePool: averagePoolGradient,
  BatchNormalization: batchNormGradient,
  Cast: ({ g, thin, x }) => [g.cast(thin, x[0].type)],
  Ceil: steps,
  // Where a bound is active the cotangent belongs to the bound.
  Clip: ({ g, dy, x: [x, low, high] }) => {
    const below = low && g.less(x, low);
    const above = high && g.greater(x, high);
    const inside = below && above ? g.not(g.or(below, above)) : (below ?? above) && g.not(below ?? above);
    return [
      inside ? g.where(inside, dy, 0) : dy,
      below ? g.where(below, dy, 0) : null,
      above ? g.where(above, dy, 0) : null,
    ];
  },
  Concat: ({ g, dy, node, x, int }) =>
    g.split(dy, splitSizes(g, x, int('axis', 0)), int('axis', 0)).slice(0, node.inputs.length),
  Conv: convGradient,
  ConvTranspose: convTransposeGradient,
  Cos: ({ g, thin, x }) => [g.neg(g.mul(thin, g.sin(x[0])))],
  // Every later element holds x: sum from the other end.
  CumSum: ({ g, dy, x, int }) => {
    const [exclusive, reverse] = [int('exclusive', 0), 1 - int('reverse', 0)];
    return [g.node('CumSum', [dy, x[1]], { exclusive, reverse })[0], null];
  },
  Div: ({ g, thin, x, y }) => {
    const da = g.div(thin, x[1]);
    return [da, g.neg(g.mul(da, y))];
  },
  Dropout: ({ g, thin, x }) => {
    const training = x[2] && g.numbers(x[2]);
    if (x[2] && training?.[0] !== 0) throw new Error('only inference mode has a rule');
    return [thin];
  },
  Einsum: einsumGradient,
  // α(eˣ − 1) below zero, whose slope is y + α.
  Elu: ({ g, thin, x, y, float }) => [
    g.mul(thin, g.where(g.greater(x[0], 0), g.onesLike(x[0]), g.add(y, float('alpha', 1)))),
  ],
  // erf' = 2/√π · exp(−x²)
  Erf: ({ g, thin, x }) => [g.mul(thin, g.mul(g.exp(g.neg(g.mul(x[0], x[0]))), 2 / Math.sqrt(Math.PI)))],
  Exp: ({ g, thin, y }) => [g.mul(thin, y)],
  Expand: ({ dy }) => [dy, null],
  Flatten: reshape,
  Floor: steps,
  Gather: gatherGradient,
  GatherElements: ({ g, dy, x, int }) => [g.scatterElements(g.zerosLike(x[0]), x[1], dy, int('axis', 0), 'add'), null],
  GatherND: gatherNDGradient,
  // x Φ(x): Φ(x) + x φ(x). The tanh form is x/2 (1 + tanh u), u = √(2/π)(x + 0.044715 x³).
  Gelu: ({ g, thin, x: [x], string }) => {
    if (string('approximate', 'none') === 'tanh') {
      const square = g.mul(x, x);
      const slope = Math.sqrt(2 / Math.PI);
      const t = g.tanh(g.mul(x, g.add(g.mul(square, slope * 0.044715), slope)));
      const du = g.add(g.mul(square, 3 * slope * 0.044715), slope);
      const bend = g.mul(g.mul(g.sub(1, g.mul(t, t)), x), du);
      return [g.mul(thin, g.mul(g.add(g.add(t, 1), bend), 0.5))];
    }
    const distribution = g.mul(g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = g.mul(g.exp(g.mul(g.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [g.mul(thin, g.add(distribution, g.mul(x, density)))];
  },
  Gemm: gemmGradient,
  GlobalAveragePool: globalAverageGradient,
  GlobalMaxPool: globalMaxGradient,
  GroupNormalization: groupNormGradient,
  HardSigmoid: ({ g, dy, y, float }) => {
    const sloped = g.and(g.greater(y, 0), g.less(y, 1));
    return [g.where(sloped, g.mul(dy, float('alpha', 0.2)), 0)];
  },
  // x · clip(x/6 + ½, 0, 1): slope x/3 + ½ between −3 and 3.
  HardSwish: ({ g, dy, x: [x] }) => {
    const slope = g.add(g.mul(x, 1 / 3), 0.5);
    return [g.mul(dy, g.where(g.greater(x, 3), 1, g.where(g.less(x, -3), 0, slope)))];
  },
  Identity: ({ thin }) => [thin],
  InstanceNormalization: instanceNormGradient,
  LayerNormalization: layerNormGradient,
  LeakyRelu: ({ g, dy, x, float }) => [g.where(g.greater(x[0], 0), dy, g.mul(dy, float('alpha', 0.01)))],
  Log: ({ g, thin, x }) => [g.div(thin, x[0])],
  // dy − softmax · Σ dy
  LogSoftmax: ({ g, dy, y, int }) => [g.sub(dy, g.mul(g.exp(y), g.reduceSum(dy, [int('axis', -1)])))],
  MatMul: matMulGradient,
  Max: extremum,
  MaxPool: maxPoolGradient,
  Mean: ({ g, dy, x }) => x.map(() => g.div(dy, x.length)),
  Min: extremum,
  Mul: ({ g, thin, x: [a, b] }) => [g.mul(thin, b), g.mul(thin, a)],
  Neg: ({ g, thin }) => [g.neg(thin)],
  Pad: padGradient,
  // b·aᵇ⁻¹ and aᵇ·ln a, the latter 0 where aᵇ is (its limit for a → 0).
  Pow: ({ g, thin, x: [a, b], y }) => {
    const constant = g.numbers(b);
    const exponent = constant?.length === 1 ? nth(constant, 0) : null;
    if (exponent === 2) return [g.mul(thin, g.mul(a, 2)), null];
    if (exponent !== null) return [g.mul(thin, g.mul(g.pow(a, exponent - 1), exponent)), null];
    const power = g.cast(b, a.type);
    const growth = g.where(g.equal(y, 0), 0, g.mul(y, g.log(a)));
    return [g.mul(thin, g.mul(g.pow(a, g.sub(power, 1)), power)), g.cast(g.mul(thin, growth), b.type)];
  },
  RMSNormalization: rmsNormGradient,
  Reciprocal: ({ g, thin, y }) => [g.neg(g.mul(thin, g.mul(y, y)))],
  ReduceL1: (c) => [c.g.mul(reducedBack(c, c.dy), c.g.sign(c.x[0]))],
  // x / |x|, and 0 at the origin, where there is no slope.
  ReduceL2: (c) => {
    const [norm, dy] = [reducedBack(c, c.y), reducedBack(c, c.dy)];
    return [c.g.mul(c.x[0], c.g.where(c.g.equal(norm, 0), 0, c.g.div(dy, norm)))];
  },
  ReduceLogSum: (c) => [reducedBack(c, c.g.div(c.dy, c.g.exp(c.y)))],
  ReduceLogSumExp: (c) => [c.g.mul(reducedBack(c, c.dy), c.g.exp(c.g.sub(c.x[0], reducedBack(c, c.y))))],
  ReduceMax: extremeGradient,
  ReduceMean: meanGradient,
  ReduceMin: extremeGradient,
  ReduceSum: (c) => [reducedBack(c, c.dy)],
  ReduceSumSquare: (c) => [c.g.mul(reducedBack(c, c.g.mul(c.dy, 2)), c.x[0])],
  Relu: ({ g, dy, x }) => [g.where(g.greater(x[0], 0), dy, 0)],
  Reshape: reshape,
  Resize: resizeGradient,
  Round: steps,
  ScatterElements: scatterGradient,
  ScatterND: scatterGradient,
  // σ(1 − σ), from the saved output, so that large |x| cannot overflow.
  Sigmoid: ({ g, thin, y }) => [g.mul(thin, g.mul(y, g.sub(1, y)))],
  Sign: steps,
  Sin: ({ g, thin, x }) => [g.mul(thin, g.cos(x[0]))],
  Slice: sliceGradient,
  // y · (dy − Σ dy·y)
  Softmax: ({ g, dy, y, int }) => {
    const weighted = g.mul(dy, y);
    return [g.sub(weighted, g.mul(y, g.reduceSum(weighted, [int('axis', -1)])))];
  },
  Softplus: ({ g, thin, x }) => [g.mul(thin, g.sigmoid(x[0]))],
  // An output that nobody used has the cotangent 0.
  Split: ({ g, node, dys, int }) => [
    g.concat(
      dys.map((dy, i) => dy ?? g.zerosLike(nth(node.outputs, i))),
      int('axis', 0),
    ),
  ],
  Sqrt: ({ g, thin, y }) => [g.div(g.mul(thin, 0.5), y)],
  Squeeze: reshape,
  Sub: ({ g, thin }) => [thin, g.neg(thin)],
  Sum: ({ thin, x }) => x.map(() => thin),
  Tan: ({ g, thin, y }) => [g.mul(thin, g.add(g.mul(y, y), 1))],
  Tanh: ({ g, thin, y }) => [g.mul(thin, g.sub(1, g.mul(y, y)))],
  Tile: tileGradient,
  Transpose: ({ g, dy, ints, x }) => {
    const order = ints('perm') ?? x[0].shape.map((_, i, all) => all.length - 1 - i);
    return [
      g.transpose(
        dy,
        order.map((_, i) => order.indexOf(i)),
      ),
    ];
  },
  Trilu: ({ g, dy, x, int }) => [g.node('Trilu', x[1] ? [dy, x[1]] : [dy], { upper: int('upper', 1) })[0]],
  Unsqueeze: reshape,
  Where: ({ g, dy, x }) => [null, g.where(x[0], dy, 0), g.where(x[0], 0, dy)],
};
