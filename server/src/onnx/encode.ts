/**
 * A decoded model back to bytes, with other outputs: for running a user's graph as it is and looking at values inside
 * it. Types and shapes are left to ONNX Runtime, which infers them.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import type { DecodedModel, DecodedValue } from './decode.ts';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from './gen/onnx_pb.js';
import type { ValueInfoProto } from './gen/onnx_pb.js';
import { encodeAttribute, encodeTensor } from './model.ts';
import { dataTypes } from './types.ts';

/**
 * @param outputs values of the graph that the session hands out
 * @param fed constants that become inputs, under their own names: their bytes are not part of the model
 */
export function encodeProbe(model: DecodedModel, outputs: readonly string[], fed: ReadonlySet<string>): Uint8Array {
  const constants = new Set(model.initializers.map(({ name }) => name));
  const inputs = [
    ...model.inputs.filter(({ name }) => !constants.has(name)),
    ...model.initializers.filter(({ name }) => fed.has(name)),
  ];
  const nodes = model.nodes.map(({ name, op, inputs: from, outputs: to, attributes }) => {
    const dot = op.lastIndexOf('.');
    return create(NodeProtoSchema, {
      name,
      domain: op.slice(0, Math.max(dot, 0)),
      opType: op.slice(dot + 1),
      input: [...from],
      output: [...to],
      attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
    });
  });
  const graph = create(GraphProtoSchema, {
    name: model.name === '' ? 'graph' : model.name,
    node: nodes,
    input: inputs.map(encodeTyped),
    output: outputs.map((name) => create(ValueInfoProtoSchema, { name })),
    initializer: model.initializers
      .filter(({ name }) => !fed.has(name))
      .map(({ name, type, shape, data }) => encodeTensor(name, type, shape, data)),
  });
  const opsets = Object.entries(model.opsets).map(([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
  );
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(model.irVersion),
      producerName: 'layerif',
      opsetImport: opsets,
      graph,
    }),
  );
}

function encodeTyped({ name, type, shape }: DecodedValue): ValueInfoProto {
  const dim = (shape ?? []).map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: dataTypes[type ?? 'float32'].code,
    ...(shape ? { shape: create(TensorShapeProtoSchema, { dim }) } : {}),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}
