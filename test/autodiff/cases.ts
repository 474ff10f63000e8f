/**
 * One row or more per gradient rule. `rules.test.ts` compares every cotangent with central differences in random
 * directions, in float64 unless a row says float32 (ONNX Runtime has no float64 kernel for that operator on the CPU).
 *
 * `range` keeps the random inputs away from poles and from the edge of the domain. Symbols in shapes are bound as
 * `bound`.
 */
import type { Dim, Graph, Value } from '../../server/src/onnx/graph.ts';
import type { AttributeInput, DataType } from '../../server/src/onnx/types.ts';

export interface GradCase {
  op: string;
  /** The float inputs that are differentiated. */
  shapes: readonly (readonly Dim[])[];
  why?: string;
  attributes?: Record<string, AttributeInput>;
  range?: readonly [number, number];
  /** Points without a slope: inputs closer than 0.2 are moved there. */
  kinks?: readonly number[];
  type?: DataType;
  /** Opset-21 form of the node where it takes more than the float inputs. Default: `g.node(op, x, attributes)`. */
  build?: (g: Graph, x: readonly Value[]) => Value | Value[];
}

/** What the symbols, and the sums and products that inference makes of them, stand for when a case runs. */
export const bound: Readonly<Record<string, number>> = {
  B: 2,
  T: 3,
  'B*T': 6,
  '4*T': 12,
  'T+3': 6,
  'T+1': 4,
  'T-1': 2,
  '2*T': 6,
  'B+2': 4,
};

const positive = [0.3, 2] as const;
/** Constant indices. */
const ids = (g: Graph, shape: readonly number[], values: readonly number[]): Value =>
  g.initializer(`ids${shape.join('x')}`, 'int64', shape, BigInt64Array.from(values, BigInt));
const scaled = (g: Graph, values: readonly number[]): Value =>
  g.initializer('scales', 'float32', [values.length], Float32Array.from(values));
/** Some true, some false, of the shape [2, 3]. */
const mask = (g: Graph): Value => g.initializer('mask', 'bool', [2, 3], Uint8Array.of(1, 0, 0, 1, 1, 0));

// One row, one line.
export const cases: readonly GradCase[] = [
  { op: 'Abs', shapes: [[2, 3]], kinks: [0] },
  { op: 'Add', shapes: [[2, 3], [3]], why: 'second input is broadcast' },
  {
    op: 'Add',
    shapes: [
      [2, 1, 3],
      [4, 1],
    ],
    why: 'both are broadcast',
  },
  {
    op: 'Add',
    shapes: [
      ['B', 'T', 3],
      ['T', 1],
    ],
    why: 'symbols',
  },
  {
    op: 'AveragePool',
    shapes: [[2, 3, 6, 5]],
    attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
    type: 'float32',
  },
  {
    op: 'AveragePool',
    shapes: [[1, 2, 6]],
    attributes: { kernel_shape: [3], strides: [2], pads: [1, 1], count_include_pad: 1 },
    type: 'float32',
    why: 'padding counts',
  },
  {
    op: 'AveragePool',
    shapes: [[1, 2, 6, 6]],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    type: 'float32',
    why: 'a window beyond the end',
  },
  {
    op: 'BatchNormalization',
    shapes: [[2, 3, 4, 2], [3], [3], [3], [3]],
    attributes: { epsilon: 0.1 },
    range: positive,
    type: 'float32',
  },
  { op: 'Cast', shapes: [[2, 3]], build: (g, [x]) => g.cast(g.mul(x, x), 'float64'), type: 'float32' },
  {
    op: 'Ceil',
    shapes: [[5]],
    kinks: [-1, 0, 1],
    why: 'no slope',
    build: (g, [x]) => g.add(x, g.node('Ceil', [x])[0]),
  },
  { op: 'Clip', shapes: [[3, 5], [], []], why: 'bounds get the cut part', build: (g, x) => clipBetween(g, x) },
  { op: 'Clip', shapes: [[3, 5]], why: 'lower bound only', build: (g, [x]) => g.clip(x, -0.4, null) },
  {
    op: 'Concat',
    shapes: [
      [2, 3],
      [2, 1],
      [2, 4],
    ],
    attributes: { axis: 1 },
  },
  {
    op: 'Concat',
    shapes: [
      ['B', 'T', 2],
      ['B', 3, 2],
    ],
    attributes: { axis: -2 },
    why: 'a size that is a symbol',
  },
  {
    op: 'Conv',
    shapes: [[2, 4, 7, 6], [6, 4, 3, 2], [6]],
    attributes: { strides: [2, 1], pads: [1, 0, 2, 1] },
    type: 'float32',
  },
  {
    op: 'Conv',
    shapes: [
      [2, 4, 8, 7],
      [6, 2, 3, 3],
    ],
    attributes: { group: 2, dilations: [2, 1], pads: [2, 1, 2, 1], strides: [3, 2] },
    type: 'float32',
    why: 'groups, dilation',
  },
  {
    op: 'Conv',
    shapes: [
      [2, 3, 9],
      [3, 1, 4],
    ],
    attributes: { group: 3, auto_pad: 'SAME_UPPER', strides: [2] },
    type: 'float32',
    why: 'one axis, channel by channel',
  },
  {
    op: 'Conv',
    shapes: [
      [1, 2, 4, 3, 5],
      [2, 2, 2, 2, 3],
    ],
    attributes: { auto_pad: 'SAME_LOWER' },
    type: 'float32',
    why: 'three axes',
  },
  {
    op: 'Conv',
    shapes: [
      [1, 2, 8, 8],
      [3, 2, 1, 1],
    ],
    attributes: { strides: [4, 4] },
    type: 'float32',
    why: 'a stride that skips what is behind the kernel',
  },
  {
    op: 'ConvTranspose',
    shapes: [[2, 4, 5, 4], [4, 3, 3, 2], [3]],
    attributes: { strides: [2, 1], pads: [1, 0, 1, 1], output_padding: [1, 0] },
    type: 'float32',
  },
  {
    op: 'ConvTranspose',
    shapes: [
      [2, 4, 5],
      [4, 2, 3],
    ],
    attributes: { group: 2, dilations: [2], strides: [2] },
    type: 'float32',
    why: 'groups, dilation',
  },
  { op: 'Cos', shapes: [[2, 3]] },
  { op: 'CumSum', shapes: [[2, 4]], build: (g, [x]) => g.cumSum(x, 1) },
  { op: 'CumSum', shapes: [[4, 2]], build: (g, [x]) => g.cumSum(x, 0, { exclusive: 1, reverse: 1 }) },
  {
    op: 'Div',
    shapes: [
      [2, 3],
      [2, 1],
    ],
    range: positive,
  },
  { op: 'Dropout', shapes: [[2, 3]] },
  {
    op: 'Einsum',
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    attributes: { equation: 'bij,bjk->bik' },
  },
  { op: 'Einsum', shapes: [[2, 3], [3, 4], [2]], attributes: { equation: 'ij,jk,i->k' } },
  {
    op: 'Einsum',
    shapes: [
      [2, 3],
      [2, 4],
    ],
    attributes: { equation: 'ij,ik->i' },
    why: 'letters of one factor only',
  },
  { op: 'Elu', shapes: [[7]], attributes: { alpha: 0.7 }, kinks: [0], type: 'float32' },
  { op: 'Erf', shapes: [[7]], type: 'float32' },
  { op: 'Exp', shapes: [[2, 3]] },
  { op: 'Expand', shapes: [[3, 1]], build: (g, [x]) => g.expand(x, [2, 3, 4]) },
  { op: 'Expand', shapes: [['B', 1, 2]], build: (g, [x]) => g.expand(x, ['B', 4, 2]), why: 'symbols' },
  { op: 'Flatten', shapes: [[2, 3, 4]], attributes: { axis: 2 } },
  { op: 'Flatten', shapes: [['B', 'T', 4]], attributes: { axis: 1 }, why: 'symbols' },
  {
    op: 'Floor',
    shapes: [[5]],
    kinks: [-1, 0, 1],
    why: 'no slope',
    build: (g, [x]) => g.add(x, g.node('Floor', [x])[0]),
  },
  {
    op: 'Gather',
    shapes: [[4, 3]],
    build: (g, [x]) => g.gather(x, ids(g, [2, 3], [0, 2, 2, 3, -1, 2])),
    why: 'rows taken twice',
  },
  {
    op: 'Gather',
    shapes: [[2, 3, 4]],
    build: (g, [x]) => g.gather(x, ids(g, [2, 2], [0, 3, 3, 1]), -1),
    why: 'last axis',
  },
  {
    op: 'Gather',
    shapes: [['B', 'T', 4]],
    build: (g, [x]) => g.gather(x, ids(g, [2, 2], [0, -1, 1, 1]), 1),
    why: 'middle axis',
  },
  {
    op: 'Gather',
    shapes: [['B', 'T', 4]],
    build: (g, [x]) => g.gather(x, g.scalar(1, 'int64'), 1),
    why: 'one position',
  },
  {
    op: 'GatherElements',
    shapes: [[2, 4]],
    build: (g, [x]) => g.gatherElements(x, ids(g, [2, 3], [1, 1, 0, 3, 2, 3]), 1),
  },
  {
    op: 'GatherND',
    shapes: [[3, 4, 2]],
    build: (g, [x]) => g.node('GatherND', [x, ids(g, [3, 2], [0, 1, 2, 3, 0, -3])]),
  },
  { op: 'Gelu', shapes: [[7]], attributes: { approximate: 'none' }, type: 'float32' },
  { op: 'Gelu', shapes: [[7]], attributes: { approximate: 'tanh' }, type: 'float32' },
  { op: 'Gemm', shapes: [[2, 3], [3, 4], [4]], attributes: { alpha: 0.5, beta: 2 } },
  {
    op: 'Gemm',
    shapes: [
      [3, 2],
      [3, 4],
      [2, 1],
    ],
    attributes: { transA: 1 },
  },
  {
    op: 'Gemm',
    shapes: [
      [2, 3],
      [4, 3],
    ],
    attributes: { transB: 1, alpha: 0.5 },
  },
  {
    op: 'Gemm',
    shapes: [
      [3, 2],
      [4, 3],
    ],
    attributes: { transA: 1, transB: 1 },
  },
  { op: 'GlobalAveragePool', shapes: [[2, 3, 4, 5]], type: 'float32' },
  { op: 'GlobalMaxPool', shapes: [[2, 3, 2, 3]], range: [-40, 40], type: 'float32' },
  {
    op: 'GroupNormalization',
    shapes: [[2, 6, 4], [6], [6]],
    attributes: { num_groups: 2, epsilon: 0.1 },
    type: 'float32',
  },
  { op: 'HardSigmoid', shapes: [[9]], attributes: { alpha: 0.5, beta: 0.4 }, kinks: [-0.8, 1.2], type: 'float32' },
  { op: 'HardSwish', shapes: [[9]], range: [-5, 5], kinks: [-3, 3], type: 'float32' },
  { op: 'Identity', shapes: [[2, 3]] },
  { op: 'InstanceNormalization', shapes: [[2, 3, 4, 5], [3], [3]], attributes: { epsilon: 0.1 }, type: 'float32' },
  { op: 'LayerNormalization', shapes: [[2, 3, 5], [5], [5]], attributes: { epsilon: 1e-3 } },
  {
    op: 'LayerNormalization',
    shapes: [
      ['B', 3, 5],
      [3, 5],
    ],
    attributes: { axis: 1 },
    why: 'two axes, no bias',
  },
  { op: 'LeakyRelu', shapes: [[7]], attributes: { alpha: 0.2 }, kinks: [0], type: 'float32' },
  { op: 'Log', shapes: [[2, 3]], range: positive },
  { op: 'LogSoftmax', shapes: [[2, 5]] },
  { op: 'LogSoftmax', shapes: [[3, 2, 2]], attributes: { axis: 0 } },
  {
    op: 'MatMul',
    shapes: [
      [2, 3],
      [3, 4],
    ],
  },
  {
    op: 'MatMul',
    shapes: [
      [2, 4, 3],
      [3, 5],
    ],
    why: 'batched left, shared right',
  },
  {
    op: 'MatMul',
    shapes: [
      ['B', 'T', 3],
      [3, 5],
    ],
    why: 'symbols',
  },
  {
    op: 'MatMul',
    shapes: [
      [4, 3],
      [2, 3, 5],
    ],
    why: 'shared left',
  },
  {
    op: 'MatMul',
    shapes: [
      [2, 1, 4, 3],
      [5, 3, 2],
    ],
    why: 'both batches are broadcast',
  },
  { op: 'MatMul', shapes: [[3], [3, 4]], why: 'row vector' },
  { op: 'MatMul', shapes: [[2, 4, 3], [3]], why: 'column vector' },
  { op: 'MatMul', shapes: [[3], [2, 3, 4]], why: 'row vector against a batch' },
  { op: 'MatMul', shapes: [[3], [3]], why: 'inner product' },
  {
    op: 'MatMul',
    shapes: [
      ['B', 3],
      [4, 3],
    ],
    why: 'transposed weight',
    build: (g, [x, w]) => g.matMul(x, g.transpose(w, [1, 0])),
  },
  { op: 'Max', shapes: [[2, 3], [3], [2, 1]] },
  { op: 'Max', shapes: [[3]], why: 'ties share', build: (g, [x]) => g.max(g.mul(x, x), g.mul(x, x)) },
  { op: 'MaxPool', shapes: [[2, 3, 7, 6]], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] } },
  {
    op: 'MaxPool',
    shapes: [[2, 2, 6, 6]],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    why: 'a window beyond the end',
  },
  { op: 'Mean', shapes: [[2, 3], [3], [2, 1]], type: 'float32' },
  { op: 'Min', shapes: [[2, 3], [3]] },
  { op: 'Mul', shapes: [[2, 3], [3]] },
  { op: 'Mul', shapes: [[2, 3]], why: 'a value times itself', build: (g, [x]) => g.mul(x, x) },
  { op: 'Neg', shapes: [[2, 3]] },
  { op: 'Pad', shapes: [[2, 3]], build: (g, [x]) => g.pad(x, [1, 0, 0, 2]) },
  { op: 'Pad', shapes: [['B', 'T']], build: (g, [x]) => g.pad(x, [0, -1, 2, 1]), why: 'negative pads cut' },
  { op: 'Pow', shapes: [[2, 3]], build: (g, [x]) => g.pow(x, 2) },
  { op: 'Pow', shapes: [[2, 3]], build: (g, [x]) => g.pow(x, -1.5), range: positive },
  { op: 'Pow', shapes: [[2, 3], [3]], range: positive, why: 'exponent is a variable' },
  { op: 'RMSNormalization', shapes: [[2, 3, 5], [5]], attributes: { epsilon: 1e-3 } },
  { op: 'Reciprocal', shapes: [[2, 3]], range: positive },
  {
    op: 'ReduceL1',
    shapes: [[2, 3]],
    build: (g, [x]) => g.node('ReduceL1', [x, g.ints([1])]),
    kinks: [0],
    type: 'float32',
  },
  {
    op: 'ReduceL2',
    shapes: [[2, 3]],
    build: (g, [x]) => g.node('ReduceL2', [x, g.ints([1])], { keepdims: 0 }),
    type: 'float32',
  },
  {
    op: 'ReduceLogSum',
    shapes: [[2, 3]],
    build: (g, [x]) => g.node('ReduceLogSum', [x, g.ints([0])]),
    range: positive,
    type: 'float32',
  },
  {
    op: 'ReduceLogSumExp',
    shapes: [[2, 3]],
    build: (g, [x]) => g.node('ReduceLogSumExp', [x, g.ints([-1])], { keepdims: 0 }),
  },
  { op: 'ReduceMax', shapes: [[2, 5]], build: (g, [x]) => g.reduceMax(x, [1], false) },
  { op: 'ReduceMean', shapes: [[2, 3, 4]], build: (g, [x]) => g.reduceMean(x, [0, -1]) },
  {
    op: 'ReduceMean',
    shapes: [['B', 'T', 4]],
    build: (g, [x]) => g.reduceMean(x, [1], false),
    why: 'the count is a symbol',
  },
  { op: 'ReduceMean', shapes: [[2, 3]], build: (g, [x]) => g.reduceMean(x, null), why: 'all axes' },
  { op: 'ReduceMin', shapes: [[2, 5]], build: (g, [x]) => g.node('ReduceMin', [x, g.ints([0])]) },
  { op: 'ReduceSum', shapes: [[2, 3, 4]], build: (g, [x]) => g.reduceSum(x, [1], false) },
  {
    op: 'ReduceSum',
    shapes: [['B', 'T']],
    build: (g, [x]) => g.mul(g.reduceSum(x, [1]), x),
    why: 'the sum is spread again',
  },
  { op: 'ReduceSum', shapes: [[2, 3]], attributes: { noop_with_empty_axes: 1 }, why: 'no axes may mean no sum' },
  { op: 'ReduceSumSquare', shapes: [[2, 3]], build: (g, [x]) => g.node('ReduceSumSquare', [x, g.ints([1])]) },
  { op: 'Relu', shapes: [[7]], kinks: [0] },
  { op: 'Reshape', shapes: [[2, 6]], build: (g, [x]) => g.reshape(x, [3, -1]) },
  { op: 'Reshape', shapes: [['B', 'T', 6]], build: (g, [x]) => g.reshape(x, ['B', 'T', 2, 3]), why: 'heads split' },
  {
    op: 'Reshape',
    shapes: [['B', 'T', 4]],
    build: (g, [x]) => g.reshape(x, ['B*T', 4]),
    why: 'symbols are multiplied',
  },
  {
    op: 'Resize',
    shapes: [[1, 2, 3, 4]],
    build: (g, [x]) => g.node('Resize', [x, null, null, g.ints([1, 2, 7, 6])], { mode: 'nearest' }),
    type: 'float32',
  },
  {
    op: 'Resize',
    shapes: [[1, 2, 3, 4]],
    build: (g, [x]) =>
      g.node('Resize', [x, null, scaled(g, [1, 1, 2, 2])], {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
    type: 'float32',
    why: 'scales',
  },
  {
    op: 'Resize',
    shapes: [[1, 2, 5, 4]],
    build: (g, [x]) => g.node('Resize', [x, null, null, g.ints([1, 2, 3, 7])], { mode: 'linear' }),
    type: 'float32',
    why: 'linear',
  },
  {
    op: 'Round',
    shapes: [[5]],
    kinks: [-1.5, -0.5, 0.5, 1.5],
    why: 'no slope',
    build: (g, [x]) => g.add(x, g.node('Round', [x])[0]),
  },
  {
    op: 'ScatterElements',
    shapes: [
      [3, 4],
      [2, 4],
    ],
    build: (g, [x, u]) => g.scatterElements(x, rowIds(g), u, 0, 'add'),
  },
  {
    op: 'ScatterElements',
    shapes: [
      [3, 4],
      [2, 4],
    ],
    build: (g, [x, u]) => g.scatterElements(x, rowIds(g), u, 0),
  },
  {
    op: 'ScatterND',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    build: (g, [x, u]) => g.scatterND(x, ids(g, [3, 1], [0, 2, 2]), u, 'add'),
  },
  {
    op: 'ScatterND',
    shapes: [
      [3, 4],
      [2, 4],
    ],
    build: (g, [x, u]) => g.scatterND(x, ids(g, [2, 1], [2, 0]), u),
  },
  { op: 'Sigmoid', shapes: [[7]], range: [-30, 30], why: 'saturated on both ends' },
  { op: 'Sign', shapes: [[5]], kinks: [-1, 0, 1], why: 'no slope', build: (g, [x]) => g.add(x, g.sign(x)) },
  { op: 'Sin', shapes: [[2, 3]] },
  { op: 'Slice', shapes: [[4, 6]], build: (g, [x]) => g.slice(x, [1, -3], [3, 6], [0, 1]) },
  { op: 'Slice', shapes: [[4, 7]], build: (g, [x]) => g.slice(x, [1], [7], [1], [3]), why: 'steps of 3' },
  { op: 'Slice', shapes: [[7, 2]], build: (g, [x]) => g.slice(x, [-2], [-Infinity], [0], [-2]), why: 'backwards' },
  { op: 'Slice', shapes: [['B', 'T', 4]], build: (g, [x]) => g.slice(x, [0], [-1], [1]), why: 'all but the last' },
  {
    op: 'Slice',
    shapes: [['B', 'T', 4]],
    build: (g, [x]) => g.slice(x, [-2], [Infinity], [1]),
    why: 'the last two of T',
  },
  {
    op: 'Slice',
    shapes: [['B', 'T']],
    build: (g, [x]) => g.slice(x, [-1], [-Infinity], [1], [-2]),
    why: 'backwards along T',
  },
  {
    op: 'Slice',
    shapes: [['T', 2]],
    build: (g, [x]) => g.slice(x, g.ints([1]), g.sub(g.shapeOf(x, 0, 1), g.ints([1])), [0]),
    why: 'end is computed',
  },
  { op: 'Softmax', shapes: [[2, 5]] },
  { op: 'Softmax', shapes: [[3, 2]], attributes: { axis: 0 } },
  { op: 'Softplus', shapes: [[7]], range: [-20, 20], type: 'float32' },
  { op: 'Split', shapes: [[2, 6]], build: (g, [x]) => g.split(x, [1, 3, 2], 1) },
  { op: 'Split', shapes: [[2, 6]], build: (g, [x]) => g.split(x, [1, 3, 2], 1)[1], why: 'outputs without use' },
  { op: 'Sqrt', shapes: [[2, 3]], range: positive },
  { op: 'Squeeze', shapes: [[2, 1, 3]], build: (g, [x]) => g.squeeze(x, [1]) },
  { op: 'Squeeze', shapes: [['B', 1, 'T']], build: (g, [x]) => g.squeeze(x, [1]), why: 'symbols' },
  { op: 'Sub', shapes: [[3], [2, 3]] },
  { op: 'Sum', shapes: [[2, 3], [3], [2, 1]] },
  { op: 'Tan', shapes: [[5]], range: [-1, 1], type: 'float32' },
  { op: 'Tanh', shapes: [[2, 3]] },
  { op: 'Tile', shapes: [[2, 3]], build: (g, [x]) => g.tile(x, [3, 2]) },
  { op: 'Tile', shapes: [['B', 3]], build: (g, [x]) => g.tile(x, [1, 2]), why: 'symbols' },
  { op: 'Transpose', shapes: [[2, 3, 4]], attributes: { perm: [2, 0, 1] } },
  { op: 'Transpose', shapes: [[2, 3, 4]], why: 'without perm: reversed' },
  { op: 'Trilu', shapes: [[2, 3, 4]], build: (g, [x]) => g.trilu(x, 0, 1) },
  { op: 'Unsqueeze', shapes: [[2, 3]], build: (g, [x]) => g.unsqueeze(x, [0, -1]) },
  { op: 'Where', shapes: [[2, 3], [3]], build: (g, [a, b]) => g.where(mask(g), a, b) },
];

function rowIds(g: Graph): Value {
  return ids(g, [2, 4], [0, 1, 2, 0, 1, 2, 0, 2]);
}

/** Bounds from two inputs, about −0.8 and 0.8. */
function clipBetween(g: Graph, [x, a, b]: readonly Value[]): Value {
  return g.clip(x, g.sub(g.mul(a, 0.1), 0.8), g.add(g.mul(b, 0.1), 0.8));
}
