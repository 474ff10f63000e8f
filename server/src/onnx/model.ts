/**
 * Writing ONNX files: a graph to the bytes of a ModelProto. `decode.ts` reads them.
 *
 * Weights stay where they are: an external constant becomes a TensorProto with `location`, `offset` and `length`.
 * Messages are generated from the official schema (`onnx.proto`, `scripts/generate-onnx.mjs`).
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as Location,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from './gen/onnx_pb.js';
import type { AttributeProto, TensorProto, ValueInfoProto } from './gen/onnx_pb.js';
import type { Graph } from './graph.ts';
import type { Attribute, DataType, Initializer, TypedArray, Value } from './types.ts';
import { dataTypes, int64 } from './types.ts';
import { lookup } from '../text/lookup.ts';

/** Opset of written models: the newest that every kernel and optimizer of ONNX Runtime knows (bfloat16 included). */
const opset = 21;
/** Operators that need a newer one; a model that holds them declares it. */
const since: Readonly<Record<string, number>> = { BitCast: 26, RMSNormalization: 23, Swish: 24 };
/** The IR version of opset 21. Newer opsets do not need a newer one. */
const irVersion = 10n;
/** A protobuf message cannot be longer. */
const longestModel = 2 ** 31 - 1;

/** @throws Error when constants held in memory exceed 2 GiB, protobuf's limit. */
export function encodeModel(g: Graph): Uint8Array {
  const inline = g.initializers.reduce((total, { data }) => total + (data?.byteLength ?? 0), 0);
  if (inline > longestModel) {
    throw new Error(
      `graph "${g.name}" holds ${inline} bytes of weights; an ONNX file takes 2147483647: make them external`,
    );
  }
  const domains = new Map([['', opset]]);
  const nodes = g.nodes.map((node) => {
    const dot = node.op.lastIndexOf('.');
    const [domain, opType] = [node.op.slice(0, Math.max(dot, 0)), node.op.slice(dot + 1)];
    domains.set(domain, Math.max(domains.get(domain) ?? 1, domain === '' ? (lookup(since, opType) ?? 1) : 1));
    return create(NodeProtoSchema, {
      name: node.name,
      opType,
      domain,
      input: node.inputs.map((input) => input?.name ?? ''),
      output: node.outputs.map((output) => output.name),
      attribute: Object.entries(node.attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
    });
  });
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: 'layerif',
    opsetImport: [...domains].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    graph: create(GraphProtoSchema, {
      name: g.name,
      node: nodes,
      input: g.inputs.map(encodeValue),
      output: g.outputs.map(encodeValue),
      initializer: g.initializers.map(encodeInitializer),
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

function encodeValue({ name, type, shape }: Value): ValueInfoProto {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: dataTypes[type].code,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

function encodeInitializer({ value, data, external }: Initializer): TensorProto {
  const tensor = encodeTensor(value.name, value.type, value.shape as readonly number[], data);
  if (external) {
    tensor.dataLocation = Location.EXTERNAL;
    tensor.externalData = Object.entries(external).map(([key, entry]) =>
      create(StringStringEntryProtoSchema, { key, value: String(entry) }),
    );
  }
  return tensor;
}

export function encodeTensor(
  name: string,
  type: DataType,
  shape: readonly number[],
  data: TypedArray | null,
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: dataTypes[type].code,
    dims: shape.map(BigInt),
    // Every platform that ONNX Runtime ships for is little-endian, as the format demands.
    ...(data ? { rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) } : {}),
  });
}

export function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  const proto = (fields: Parameters<typeof create<typeof AttributeProtoSchema>>[1]): AttributeProto =>
    create(AttributeProtoSchema, { name, ...fields });
  switch (attribute.kind) {
    case 'int':
      return proto({ type: Kind.INT, i: int64(attribute.value) });
    case 'float':
      return proto({ type: Kind.FLOAT, f: attribute.value });
    case 'string':
      return proto({ type: Kind.STRING, s: new TextEncoder().encode(attribute.value) });
    case 'ints':
      return proto({ type: Kind.INTS, ints: attribute.value.map(int64) });
    case 'floats':
      return proto({ type: Kind.FLOATS, floats: [...attribute.value] });
    case 'strings':
      return proto({ type: Kind.STRINGS, strings: attribute.value.map((text) => new TextEncoder().encode(text)) });
    case 'tensor':
      return proto({
        type: Kind.TENSOR,
        t: encodeTensor('', attribute.value.type, attribute.value.shape, attribute.value.data),
      });
    case 'other':
      return fromBinary(AttributeProtoSchema, attribute.value);
  }
}
