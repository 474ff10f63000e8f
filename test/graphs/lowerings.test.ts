/**
 * Every operator that is brought into another form gives what ONNX Runtime's own kernel gives, and what it is made of
 * has gradient rules. One row per form; `lowerings` and this table have the same names.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backward } from '../../server/src/autodiff/backward.ts';
import { Runtime, typedTensor } from '../../server/src/engine/runtime/runtime.ts';
import type { Feeds } from '../../server/src/engine/runtime/runtime.ts';
import { lowerings } from '../../server/src/graphs/lower.ts';
import { specialise } from '../../server/src/graphs/specialise.ts';
import type { Probed } from '../../server/src/graphs/types.ts';
import { attributesOf } from '../../server/src/onnx/attributes.ts';
import type { DecodedInitializer, DecodedModel } from '../../server/src/onnx/decode.ts';
import { encodeProbe } from '../../server/src/onnx/encode.ts';
import type { AttributeInput, DataType, TypedArray } from '../../server/src/onnx/types.ts';
import { randomNumbers } from '../autodiff/random.ts';

type Input =
  /** Data: random numbers. */
  | readonly number[]
  /** A constant. */
  | { type: DataType; shape: readonly number[]; data: readonly number[] }
  | null;

interface Case {
  op: string;
  why?: string;
  inputs: readonly Input[];
  attributes?: Record<string, AttributeInput>;
  opset?: number;
  outputs?: number;
}

const ints = (...data: number[]): Input => ({ type: 'int64', shape: [data.length], data });
const int32 = (shape: number[], data: number[]): Input => ({ type: 'int32', shape, data });
const floats = (shape: number[], seed = 3): Input => {
  const random = randomNumbers(seed);
  return {
    type: 'float32',
    shape,
    data: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
  };
};
const ms = (name: string) => `com.microsoft.${name}`;
const reduce = (op: string): Case => ({
  op,
  inputs: [[2, 3, 4]],
  attributes: { axes: [1], keepdims: 0 },
  opset: op === 'ReduceSum' ? 11 : 13,
});

const cases: readonly Case[] = [
  {
    op: 'Attention',
    inputs: [
      [1, 4, 5, 8],
      [1, 2, 5, 8],
      [1, 2, 5, 8],
    ],
    attributes: { is_causal: 1 },
    opset: 23,
  },
  {
    op: 'Attention',
    inputs: [[1, 5, 16], [1, 5, 8], [1, 5, 8], floats([5, 5])],
    attributes: { q_num_heads: 4, kv_num_heads: 2, softcap: 2 },
    opset: 23,
    why: 'three axes, mask, cap',
  },
  { op: 'CastLike', inputs: [[3], floats([1])], opset: 15 },
  { op: 'Celu', inputs: [[7]], attributes: { alpha: 0.7 }, opset: 12 },
  {
    op: 'Clip',
    inputs: [[7]],
    attributes: { min: { kind: 'float', value: -0.25 }, max: { kind: 'float', value: 0.5 } },
    opset: 6,
  },
  {
    op: 'Concat',
    inputs: [{ type: 'float32', shape: [1, 0, 3], data: [] }, [1, 2, 3]],
    attributes: { axis: 1 },
    opset: 13,
    why: 'an empty cache',
  },
  { op: 'Conv', inputs: [[1, 2, 5, 5], floats([3, 2, 3, 3])], attributes: { pads: [1, 1, 1, 1] }, opset: 11 },
  { op: 'DepthToSpace', inputs: [[1, 8, 2, 3]], attributes: { blocksize: 2 }, opset: 13 },
  {
    op: 'DepthToSpace',
    inputs: [[1, 8, 2, 3]],
    attributes: { blocksize: 2, mode: 'CRD' },
    opset: 13,
    why: 'columns first',
  },
  { op: 'Dropout', inputs: [[3, 2]], opset: 10 },
  { op: 'Expand', inputs: [[1, 3, 1], ints(2, 1, 4)], opset: 13 },
  { op: 'Flatten', inputs: [[2, 3, 4]], attributes: { axis: 2 }, opset: 13 },
  {
    op: 'Gemm',
    inputs: [[2, 3], floats([4, 3]), floats([4])],
    attributes: { transB: 1, alpha: 0.5, beta: 2 },
    opset: 13,
  },
  {
    op: 'GroupNormalization',
    inputs: [[1, 6, 4], floats([2]), floats([2], 5)],
    attributes: { num_groups: 2 },
    opset: 18,
    why: 'scale by group',
  },
  { op: 'LogSoftmax', inputs: [[2, 3, 4]], attributes: { axis: 1 }, opset: 11, why: 'over two axes' },
  { op: 'LpNormalization', inputs: [[2, 3]], attributes: { p: 2, axis: -1 }, opset: 13 },
  { op: 'MatMul', inputs: [[2, 3], floats([3, 4])], opset: 13 },
  { op: 'Mish', inputs: [[7]], opset: 18 },
  { op: 'PRelu', inputs: [[2, 3], floats([3])], opset: 16 },
  { op: 'Pad', inputs: [[2, 3]], attributes: { pads: [0, 1, 2, 0], value: { kind: 'float', value: 0.5 } }, opset: 10 },
  reduce('ReduceL1'),
  reduce('ReduceL2'),
  reduce('ReduceLogSumExp'),
  reduce('ReduceMax'),
  reduce('ReduceMean'),
  reduce('ReduceMin'),
  reduce('ReduceSum'),
  reduce('ReduceSumSquare'),
  { op: 'Reshape', inputs: [[2, 6], ints(0, 3, -1)], opset: 13 },
  {
    op: 'RotaryEmbedding',
    inputs: [[1, 2, 5, 8], floats([9, 4]), floats([9, 4], 5), { type: 'int64', shape: [1, 5], data: [0, 1, 2, 3, 4] }],
    opset: 23,
  },
  {
    op: 'Scatter',
    inputs: [[1, 5], { type: 'int64', shape: [1, 2], data: [1, 3] }, floats([1, 2])],
    attributes: { axis: 1 },
    opset: 9,
  },
  { op: 'Selu', inputs: [[7]], opset: 6 },
  {
    op: 'SimplifiedLayerNormalization',
    inputs: [[2, 3, 8], floats([8])],
    attributes: { epsilon: 1e-3, axis: -1 },
    opset: 17,
  },
  { op: 'Slice', inputs: [[4, 5]], attributes: { starts: [1, -3], ends: [3, 100], axes: [0, 1] }, opset: 9 },
  { op: 'Softmax', inputs: [[2, 3, 4]], attributes: { axis: 1 }, opset: 11, why: 'over two axes' },
  { op: 'Softmax', inputs: [[2, 3, 4]], opset: 13 },
  { op: 'Softsign', inputs: [[7]], opset: 13 },
  { op: 'SpaceToDepth', inputs: [[1, 2, 4, 6]], attributes: { blocksize: 2 }, opset: 13 },
  { op: 'Split', inputs: [[2, 5]], attributes: { axis: 1, split: [2, 3] }, outputs: 2, opset: 11 },
  {
    op: 'Split',
    inputs: [[2, 5]],
    attributes: { axis: 1, num_outputs: 2 },
    outputs: 2,
    opset: 18,
    why: 'parts that differ',
  },
  { op: 'Squeeze', inputs: [[1, 3, 1]], attributes: { axes: [0] }, opset: 11 },
  { op: 'Sum', inputs: [[2, 3], floats([3]), floats([2, 1])], opset: 13 },
  { op: 'Swish', inputs: [[7]], attributes: { alpha: 0.5 }, opset: 24 },
  { op: 'ThresholdedRelu', inputs: [[7]], attributes: { alpha: 0.25 }, opset: 10 },
  { op: 'Unsqueeze', inputs: [[3, 2]], attributes: { axes: [1] }, opset: 11 },
  {
    op: 'Upsample',
    inputs: [[1, 2, 3, 2], { type: 'float32', shape: [4], data: [1, 1, 2, 3] }],
    attributes: { mode: 'nearest' },
    opset: 9,
  },
  {
    op: ms('Attention'),
    inputs: [[1, 5, 8], floats([8, 24]), floats([24]), int32([1, 5], [1, 1, 1, 1, 0])],
    attributes: { num_heads: 2 },
  },
  {
    op: ms('Attention'),
    inputs: [[1, 5, 8], floats([8, 24]), floats([24])],
    attributes: { num_heads: 2, unidirectional: 1 },
    why: 'causal',
  },
  { op: ms('BiasGelu'), inputs: [[2, 4], floats([4])] },
  { op: ms('FastGelu'), inputs: [[2, 4], floats([4])] },
  {
    op: ms('FusedConv'),
    inputs: [[1, 2, 5, 5], floats([3, 2, 3, 3]), floats([3])],
    attributes: { activation: 'Relu', kernel_shape: [3, 3] },
  },
  {
    op: ms('FusedGemm'),
    inputs: [[2, 3], floats([3, 4]), floats([4])],
    attributes: { activation: 'Relu', alpha: 0.5 },
  },
  { op: ms('FusedMatMul'), inputs: [[2, 3, 4], floats([5, 4])], attributes: { transB: 1, alpha: 0.5 } },
  { op: ms('Gelu'), inputs: [[7]] },
  {
    op: ms('GroupQueryAttention'),
    inputs: [
      [1, 5, 64],
      [1, 5, 32],
      [1, 5, 32],
      null,
      null,
      int32([1], [4]),
      int32([], [5]),
      floats([9, 8]),
      floats([9, 8], 5),
    ],
    attributes: { num_heads: 4, kv_num_heads: 2, do_rotary: 1 },
    outputs: 3,
  },
  {
    op: ms('GroupQueryAttention'),
    inputs: [[1, 5, 128], null, null, null, null, int32([1], [4]), int32([], [5])],
    attributes: { num_heads: 4, kv_num_heads: 2, local_window_size: 2 },
    outputs: 3,
    why: 'packed, a window',
  },
  {
    op: ms('MultiHeadAttention'),
    inputs: [[1, 5, 8], [1, 5, 8], [1, 5, 8], floats([24]), int32([1, 5], [1, 1, 0, 1, 1])],
    attributes: { num_heads: 2 },
  },
  {
    op: ms('MultiHeadAttention'),
    inputs: [[1, 5, 8], [1, 5, 8], [1, 5, 8], null, null, floats([1, 2, 5, 5])],
    attributes: { num_heads: 2, scale: 0.5 },
    why: 'bias of the scores',
  },
  { op: ms('QuickGelu'), inputs: [[7]] },
  {
    op: ms('RotaryEmbedding'),
    inputs: [[1, 2, 5, 8], { type: 'int64', shape: [1, 5], data: [0, 1, 2, 3, 4] }, floats([9, 4]), floats([9, 4], 5)],
  },
  {
    op: ms('RotaryEmbedding'),
    inputs: [[1, 5, 16], ints(1), floats([9, 4]), floats([9, 4], 5)],
    attributes: { interleaved: 1 },
    why: 'pairs beside each other, first position',
  },
  { op: ms('SkipLayerNormalization'), inputs: [[1, 3, 8], [1, 3, 8], floats([8]), floats([8], 5), floats([8], 7)] },
  { op: ms('SkipSimplifiedLayerNormalization'), inputs: [[1, 3, 8], [1, 3, 8], floats([8]), floats([8], 5)] },
  { op: 'Concat', inputs: [[1, 2, 3]], attributes: { axis: 1 }, opset: 13, why: 'one part' },
];

/** No kernel in ONNX Runtime to compare with, or the same row as another one. */
const unchecked: Readonly<Record<string, string>> = {
  ReduceLogSum: 'the row of ReduceSum',
  ReduceProd: 'the row of ReduceSum; it has no gradient rule',
  'com.microsoft.SimplifiedLayerNormalization': 'the row of SimplifiedLayerNormalization',
};

test('every form has a case', () => {
  const named = [...new Set(cases.map(({ op }) => op)), ...Object.keys(unchecked)].sort();
  assert.deepEqual(named, Object.keys(lowerings).sort());
});

function modelOf({ op, inputs, attributes = {}, opset = 17, outputs = 1 }: Case): DecodedModel {
  const initializers: DecodedInitializer[] = [];
  const data: DecodedModel['inputs'][number][] = [];
  const names = inputs.map((input, i) => {
    if (input === null) return '';
    if ('shape' in input) {
      const { type, shape, data: values } = input;
      const array =
        type === 'float32'
          ? Float32Array.from(values)
          : type === 'int64'
            ? BigInt64Array.from(values, BigInt)
            : Int32Array.from(values);
      initializers.push({ name: `c${i}`, type, shape, data: array, external: null });
      return `c${i}`;
    }
    data.push({ name: `x${i}`, type: 'float32', shape: input });
    return `x${i}`;
  });
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  return {
    irVersion: 9,
    producer: '',
    opsets: { '': opset, ...(op.startsWith('com.') ? { 'com.microsoft': 1 } : {}) },
    functions: [],
    name: 'one node',
    inputs: data,
    outputs: results.map((name) => ({ name, type: 'float32', shape: null })),
    values: [],
    initializers,
    sparse: [],
    nodes: [{ name: 'n', op, inputs: names, outputs: results, attributes: attributesOf(attributes), metadata: {} }],
  };
}

cases.forEach((row, i) => {
  test(`${row.op}${row.why ? `: ${row.why}` : ''}`, async () => {
    const runtime = new Runtime('cpu', 1);
    const model = modelOf(row);
    const random = randomNumbers(50 + i);
    const fed = new Map(
      model.inputs.map(({ name, shape }) => {
        const size = (shape as number[]).reduce((a, b) => a * b, 1);
        return [
          name,
          {
            type: 'float32' as const,
            shape: shape as number[],
            data: Float32Array.from({ length: size }, () => 2 * random() - 1),
          },
        ];
      }),
    );
    const names = model.outputs.map(({ name }) => name);
    const plain = await runtime.plainSession(encodeProbe(model, names, new Set()));
    const feeds: Feeds = Object.fromEntries([...fed].map(([name, f]) => [name, typedTensor(f.type, f.data, f.shape)]));
    const expected = await plain.run(feeds);
    const probed = new Map<string, Probed>(
      [...fed].map(([name, { type, shape }]) => [name, { type, shape, data: null }]),
    );
    for (const name of names)
      probed.set(name, { type: expected[name].type as DataType, shape: [...expected[name].dims], data: null });
    const content = new Map(model.initializers.map((c) => [c.name, c.data!]));
    const constant = (name: string): TypedArray => content.get(name)!;
    const { graph, values, weights } = specialise({ model, probed, constant, modules: [] });
    const x = values.get(model.inputs[0].name)!;
    const wanted = names.map((name) => values.get(name)!);
    const [dx] = backward(graph, [{ of: wanted[0], cotangent: graph.scalar(1) }], [x]);
    assert.ok(dx, 'the first input has a cotangent');
    wanted.forEach((value, k) => graph.output(value, `out${k}`));
    const session = await runtime.session(graph);
    const own: Feeds = Object.fromEntries(
      [...fed].map(([name, f]) => [`input/${name}`, typedTensor(f.type, f.data, f.shape)]),
    );
    for (const [input, name] of weights) {
      const { type, shape } = model.initializers.find((c) => c.name === name)!;
      own[input] = typedTensor(type, constant(name), shape);
    }
    const got = await session.run(own);
    names.forEach((name, k) => {
      const [a, b] = [got[`out${k}`].data as Float32Array, expected[name].data as Float32Array];
      assert.equal(a.length, b.length);
      const difference = a.reduce((max, value, at) => Math.max(max, Math.abs(value - b[at])), 0);
      assert.ok(difference < 1e-5, `${name}: differs by ${difference}`);
    });
    await plain.release();
    await session.release();
  });
});
