/**
 * ONNX files: a graph to the bytes of a ModelProto, and back to a plain structure that keeps everything a graph may hold.
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
import type { AttributeProto, GraphProto, TensorProto, ValueInfoProto } from './gen/onnx_pb.js';
import type { Graph } from './graph.ts';
import type {
  Attribute,
  Attributes,
  DataType,
  Dim,
  ExternalData,
  Initializer,
  Tensor,
  TypedArray,
  Value,
} from './types.ts';
import { dataTypeOf, dataTypes } from './types.ts';

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
    domains.set(domain, Math.max(domains.get(domain) ?? 1, domain === '' ? (since[opType] ?? 1) : 1));
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

function encodeTensor(name: string, type: DataType, shape: readonly number[], data: TypedArray | null): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: dataTypes[type].code,
    dims: shape.map(BigInt),
    // Every platform that ONNX Runtime ships for is little-endian, as the format demands.
    ...(data ? { rawData: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) } : {}),
  });
}

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
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

/** int64 as the schema wants it; what a double cannot hold below its ends is cut to them (INT64_MAX means "to the end"). */
function int64(x: number): bigint {
  return Math.abs(x) < 2 ** 63 ? BigInt(Math.trunc(x)) : x < 0 ? -(2n ** 63n) : 2n ** 63n - 1n;
}

export interface DecodedValue {
  name: string;
  /** null: not said, or not a tensor of a type that we hold. */
  type: DataType | null;
  /** null: rank not said. An unnamed dimension is '?'. */
  shape: readonly Dim[] | null;
}

export interface DecodedInitializer {
  name: string;
  type: DataType;
  shape: readonly number[];
  data: TypedArray | null;
  external: ExternalData | null;
}

export interface DecodedNode {
  name: string;
  /** With the domain in front when it is not the standard one. */
  op: string;
  /** '' where an optional input or output is left out. */
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Attributes;
}

/** What an ONNX file says, with names for values. Nothing is checked but the encoding. */
export interface DecodedModel {
  irVersion: number;
  producer: string;
  /** Version by domain; '' is the standard one. */
  opsets: Readonly<Record<string, number>>;
  /** Operators that the file defines itself. */
  functions: readonly string[];
  name: string;
  inputs: readonly DecodedValue[];
  outputs: readonly DecodedValue[];
  /** Types that the file states for values inside the graph. */
  values: readonly DecodedValue[];
  initializers: readonly DecodedInitializer[];
  /** Names of sparse constants, which have no other representation here. */
  sparse: readonly string[];
  nodes: readonly DecodedNode[];
}

/** @throws Error when the bytes are no ModelProto, hold no graph, or a constant's type or size is one we do not hold. */
export function decodeModel(bytes: Uint8Array): DecodedModel {
  let model;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new Error(`not an ONNX model (${bytes.length} bytes): ${(error as Error).message}`, { cause: error });
  }
  const graph = model.graph;
  if (!graph) throw new Error(`not an ONNX model (${bytes.length} bytes): it has no graph`);
  return {
    irVersion: Number(model.irVersion),
    producer: model.producerName,
    opsets: Object.fromEntries(model.opsetImport.map(({ domain, version }) => [plainDomain(domain), Number(version)])),
    functions: model.functions.map(({ domain, name }) => operator(domain, name)),
    name: graph.name,
    inputs: graph.input.map(decodeValue),
    outputs: graph.output.map(decodeValue),
    values: graph.valueInfo.map(decodeValue),
    initializers: graph.initializer.map(decodeInitializer),
    sparse: graph.sparseInitializer.map(({ values }) => values?.name ?? ''),
    nodes: decodeNodes(graph),
  };
}

function plainDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function operator(domain: string, name: string): string {
  return plainDomain(domain) === '' ? name : `${domain}.${name}`;
}

function decodeNodes(graph: GraphProto): DecodedNode[] {
  return graph.node.map((node) => ({
    name: node.name,
    op: operator(node.domain, node.opType),
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(node.attribute.map((attribute) => [attribute.name, decodeAttribute(attribute)])),
  }));
}

function decodeValue({ name, type }: ValueInfoProto): DecodedValue {
  if (type?.value.case !== 'tensorType') return { name, type: null, shape: null };
  const tensor = type.value.value;
  const shape = tensor.shape?.dim.map(({ value }): Dim => {
    if (value.case === 'dimValue') return Number(value.value);
    return value.case === 'dimParam' && value.value !== '' ? value.value : '?';
  });
  return { name, type: dataTypeOf(tensor.elemType) ?? null, shape: shape ?? null };
}

function decodeInitializer(tensor: TensorProto): DecodedInitializer {
  if (tensor.dataLocation !== Location.EXTERNAL) return { name: tensor.name, external: null, ...decodeTensor(tensor) };
  const entries = Object.fromEntries(tensor.externalData.map(({ key, value }) => [key, value]));
  const shape = tensor.dims.map(Number);
  const type = typeOf(tensor);
  const size = shape.reduce((total, dim) => total * dim, dataTypes[type].bytes);
  const external = {
    location: entries.location ?? '',
    offset: Number(entries.offset ?? 0),
    length: Number(entries.length ?? size),
  };
  return { name: tensor.name, type, shape, data: null, external };
}

function typeOf(tensor: TensorProto): DataType {
  const type = dataTypeOf(tensor.dataType);
  if (type) return type;
  const known = Object.entries(dataTypes).map(([name, { code }]) => `${name} (${code})`);
  throw new Error(`constant "${tensor.name}" is of data type ${tensor.dataType}; supported are ${known.join(', ')}`);
}

/** Content lies in `raw_data`, or in the list of the type's family. */
function decodeTensor(tensor: TensorProto): Tensor {
  const type = typeOf(tensor);
  const shape = tensor.dims.map(Number);
  const { array, bytes } = dataTypes[type];
  const size = shape.reduce((total, dim) => total * dim, 1);
  const raw = tensor.rawData;
  const lists: Partial<Record<DataType, readonly (number | bigint)[]>> = {
    float32: tensor.floatData,
    float64: tensor.doubleData,
    int64: tensor.int64Data,
  };
  const list = lists[type] ?? tensor.int32Data;
  if (raw.length > 0 ? raw.length !== size * bytes : list.length !== size) {
    const given = raw.length > 0 ? `${raw.length} bytes` : `${list.length} elements`;
    throw new Error(`constant "${tensor.name}" ${type}[${shape.join(', ')}] holds ${given}; expected ${size} elements`);
  }
  // A copy: the raw bytes need not lie on a multiple of the element size.
  const data = raw.length > 0 ? new array(raw.slice().buffer) : (array.from as (list: unknown) => TypedArray)(list);
  return { type, shape, data };
}

const attributeDecoders: Partial<Record<Kind, (attribute: AttributeProto) => Attribute>> = {
  [Kind.INT]: ({ i }) => ({ kind: 'int', value: Number(i) }),
  [Kind.FLOAT]: ({ f }) => ({ kind: 'float', value: f }),
  [Kind.STRING]: ({ s }) => ({ kind: 'string', value: new TextDecoder().decode(s) }),
  [Kind.INTS]: ({ ints }) => ({ kind: 'ints', value: ints.map(Number) }),
  [Kind.FLOATS]: ({ floats }) => ({ kind: 'floats', value: floats }),
  [Kind.STRINGS]: ({ strings }) => ({ kind: 'strings', value: strings.map((s) => new TextDecoder().decode(s)) }),
};

function decodeAttribute(attribute: AttributeProto): Attribute {
  const { type, t } = attribute;
  if (type === Kind.TENSOR && t && dataTypeOf(t.dataType)) return { kind: 'tensor', value: decodeTensor(t) };
  const subgraph = type === Kind.GRAPH || type === Kind.GRAPHS;
  return (
    attributeDecoders[type]?.(attribute) ?? {
      kind: 'other',
      value: toBinary(AttributeProtoSchema, attribute),
      subgraph,
    }
  );
}
