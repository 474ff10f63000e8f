/** Files as other exporters write them, made here with the messages of the official schema. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { backward } from '../../server/src/autodiff/backward.ts';
import { decodeModel, graphOf } from '../../server/src/onnx/decode.ts';
import {
  AttributeProto_AttributeType as Kind,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation as Location,
} from '../../server/src/onnx/gen/onnx_pb.js';
import { encodeModel } from '../../server/src/onnx/model.ts';
import { open } from './session.ts';

type GraphInit = MessageInitShape<typeof GraphProtoSchema>;

function bytesOf(graph: GraphInit, opset = 17): Uint8Array {
  const opsetImport = [{ domain: 'ai.onnx', version: BigInt(opset) }];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport, graph }));
}

const tensorType = (elemType: number, ...dims: (number | string | null)[]): object => ({
  value: {
    case: 'tensorType',
    value: {
      elemType,
      shape: {
        dim: dims.map((dim) => ({
          value:
            typeof dim === 'number'
              ? { case: 'dimValue', value: BigInt(dim) }
              : dim === null
                ? { case: undefined }
                : { case: 'dimParam', value: dim },
        })),
      },
    },
  },
});

const linear: GraphInit = {
  name: 'torch_jit',
  input: [
    { name: 'x', type: tensorType(1, 'batch', null, 2) },
    { name: 'w', type: tensorType(1, 2, 3) },
  ],
  initializer: [{ name: 'w', dataType: 1, dims: [2n, 3n], floatData: [1, 2, 3, 4, 5, 6] }],
  node: [
    {
      opType: 'Constant',
      output: ['two'],
      attribute: [{ name: 'value', type: Kind.TENSOR, t: { dataType: 1, floatData: [2] } }],
    },
    { opType: 'Constant', output: ['axes'], attribute: [{ name: 'value_ints', type: Kind.INTS, ints: [-1n] }] },
    { name: '/model/layers.0/mlp/MatMul', opType: 'MatMul', input: ['x', 'w'], output: ['/h'] },
    { name: '/model/layers.0/mlp/Pow', opType: 'Pow', input: ['/h', 'two'], output: ['/p'] },
    { opType: 'ReduceMean', input: ['/p'], output: ['y'], attribute: [{ name: 'axes', type: Kind.INTS, ints: [-1n] }] },
  ],
  output: [{ name: 'y', type: tensorType(1, 'batch', null, 1) }],
};

test("a user's file becomes a graph that can be differentiated", async () => {
  const model = decodeModel(bytesOf({ ...linear, node: linear.node!.slice(0, 4), output: [{ name: '/p' }] }));
  assert.deepEqual(model.opsets, { '': 17 });
  assert.deepEqual(model.inputs[0].shape, ['batch', '?', 2]);
  const g = graphOf(model);
  assert.deepEqual(
    g.inputs.map(({ name, shape }) => [name, shape]),
    [['x', ['batch', 'x.1', 2]]],
  );
  assert.deepEqual(
    g.nodes.map(({ name, op, scope }) => [name, op, scope]),
    [
      ['/model/layers.0/mlp/MatMul', 'MatMul', 'model/layers.0/mlp'],
      ['/model/layers.0/mlp/Pow', 'Pow', 'model/layers.0/mlp'],
    ],
  );
  const [dw] = backward(
    g,
    [{ of: g.outputs[0], cotangent: g.scalar(1) }],
    [g.initializers.find(({ value }) => value.name === 'w')!.value],
  );
  g.output(dw!, 'dw');
  const result = await (await open(g))({ x: { type: 'float32', shape: [1, 2, 2], data: [1, 0, 0, 1] } });
  assert.deepEqual(result['/p'].data, [1, 4, 9, 16, 25, 36]);
  assert.deepEqual(result.dw.data, [2, 4, 6, 8, 10, 12]);
});

test('axes as attributes, as below opset 18, are understood', () => {
  const g = graphOf(decodeModel(bytesOf(linear)));
  assert.deepEqual(g.outputs[0].shape, ['batch', 'x.1', 1]);
});

test('subgraphs are kept and told', () => {
  const branch = create(GraphProtoSchema, { name: 'then', output: [{ name: 'a' }] });
  const model = decodeModel(
    bytesOf({
      name: 'if',
      node: [
        {
          opType: 'If',
          input: ['c'],
          output: ['y'],
          attribute: [{ name: 'then_branch', type: Kind.GRAPH, g: branch }],
        },
      ],
    }),
  );
  const attribute = model.nodes[0].attributes.then_branch;
  assert.ok(attribute.kind === 'other' && attribute.subgraph);
  assert.throws(() => graphOf(model), /node "" \(If\) reads "c", which nothing before it makes/);
});

test('external data is told with the length that the shape asks for when the file leaves it out', () => {
  const [initializer] = decodeModel(
    bytesOf({
      name: 'external',
      initializer: [
        {
          name: 'w',
          dataType: 10,
          dims: [3n, 5n],
          dataLocation: Location.EXTERNAL,
          externalData: [{ key: 'location', value: 'weights.bin' }],
        },
      ],
    }),
  ).initializers;
  assert.deepEqual(initializer.external, { location: 'weights.bin', offset: 0, length: 30 });
});

test('constants that cannot be held are named', () => {
  const file = (tensor: object): Uint8Array => bytesOf({ name: 'bad', initializer: [tensor] });
  assert.throws(
    () => decodeModel(file({ name: 's', dataType: 8, dims: [1n] })),
    /constant "s" is of data type 8; supported are float32 \(1\)/,
  );
  assert.throws(
    () => decodeModel(file({ name: 'w', dataType: 1, dims: [4n], rawData: new Uint8Array(12) })),
    /constant "w" float32\[4\] holds 12 bytes; expected 4 elements/,
  );
});

test('an unknown operator is no obstacle where the file states the shape of its result', () => {
  const node = [{ name: 'block/Mystery', opType: 'Mystery', domain: 'org.example', input: ['x'], output: ['y'] }];
  const input = [{ name: 'x', type: tensorType(1, 'N') }];
  const g = graphOf(
    decodeModel(bytesOf({ name: 'custom', node, input, output: [{ name: 'y', type: tensorType(1, 'N', 4) }] })),
  );
  assert.deepEqual(g.nodes[0].outputs[0].shape, ['N', 4]);
  assert.throws(
    () => backward(g, [{ of: g.outputs[0], cotangent: g.scalar(1) }], [g.inputs[0]]),
    /no rule for operator "org.example.Mystery" \(node "block\/Mystery", layer "block"\)/,
  );
  assert.equal(decodeModel(encodeModel(g)).nodes[0].op, 'org.example.Mystery');
  assert.throws(
    () => graphOf(decodeModel(bytesOf({ name: 'custom', node, input, output: [{ name: 'y' }] }))),
    /no row in onnx\/shapes.ts/,
  );
});
