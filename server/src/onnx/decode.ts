/**
 * Reading ONNX files: the bytes of a ModelProto as a plain structure that keeps everything a graph may hold, foreign
 * operators and subgraphs included; and as a `Graph` where the shape of every value can be told.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as Kind,
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation as Location,
} from './gen/onnx_pb.js';
import type { AttributeProto, GraphProto, TensorProto, ValueInfoProto } from './gen/onnx_pb.js';
import { Graph } from './graph.ts';
import { shapes } from './shapes.ts';
import type { Attribute, Attributes, DataType, Dim, ExternalData, Tensor, TypedArray, Value } from './types.ts';
import { dataTypeOf, dataTypes, int64 } from './types.ts';

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
  /** What the exporter notes beside the node, such as the modules it comes from. */
  metadata: Readonly<Record<string, string>>;
}

/** A graph inside a node: a branch of an If, the body of a loop. It may read every value of the graph around it. */
export interface DecodedSubgraph {
  inputs: readonly DecodedValue[];
  outputs: readonly DecodedValue[];
  initializers: readonly DecodedInitializer[];
  nodes: readonly DecodedNode[];
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

/** Bytes that are no model at all: cut off, damaged or of another kind. */
export class NoModel extends Error {}

/**
 * @throws NoModel when the bytes are no ModelProto or hold no graph; Error when a constant's type or size is one we do
 *   not hold.
 */
export function decodeModel(bytes: Uint8Array): DecodedModel {
  let model;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    const ends = (error as Error).message.includes('premature EOF');
    const why = ends ? 'it ends inside a field: it is cut off' : 'a field does not follow the format';
    throw new NoModel(`not an ONNX model (${bytes.length} bytes): ${why}`, { cause: error });
  }
  const graph = model.graph;
  if (!graph) throw new NoModel(`not an ONNX model (${bytes.length} bytes): it has no graph`);
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

/** The graphs that an attribute holds, none where it holds something else. */
export function subgraphsOf(attribute: Attribute | undefined): DecodedSubgraph[] {
  if (attribute?.kind !== 'other' || !attribute.subgraph) return [];
  const { g, graphs } = fromBinary(AttributeProtoSchema, attribute.value);
  return [...(g ? [g] : []), ...graphs].map((graph) => ({
    inputs: graph.input.map(decodeValue),
    outputs: graph.output.map(decodeValue),
    initializers: graph.initializer.map(decodeInitializer),
    nodes: decodeNodes(graph),
  }));
}

function decodeNodes(graph: GraphProto): DecodedNode[] {
  return graph.node.map((node) => ({
    name: node.name,
    op: operator(node.domain, node.opType),
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(node.attribute.map((attribute) => [attribute.name, decodeAttribute(attribute)])),
    metadata: Object.fromEntries(node.metadataProps.map(({ key, value }) => [key, value])),
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
  const data =
    raw.length > 0 ? new array(new Uint8Array(raw).buffer) : (array.from as (list: unknown) => TypedArray)(list);
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

/**
 * The graph of a decoded model, with names kept and `Constant` nodes made constants. The folder part of a node's name
 * is its scope. Shapes are inferred, else taken from what the file states.
 * @throws Error naming the node whose shape cannot be told, and for inputs that are not tensors of known rank.
 */
export function graphOf(model: DecodedModel): Graph {
  const g = new Graph(model.name);
  const values = new Map<string, Value>();
  const stated = new Map([...model.values, ...model.outputs].map((value) => [value.name, value]));
  for (const { name, type, shape, data, external } of model.initializers) {
    if (external) values.set(name, g.external(name, type, shape, external));
    else values.set(name, g.initializer(name, type, shape, data!));
  }
  for (const { name, type, shape } of model.inputs) {
    if (values.has(name)) continue; // old files list their constants among the inputs
    if (!type || !shape)
      throw new Error(`input "${name}" of graph "${model.name}" is not a tensor of known type and rank`);
    values.set(name, g.input(name, type, named(name, shape)));
  }
  for (const node of model.nodes) {
    const constant = node.op === 'Constant' ? constantOf(node) : null;
    if (constant) {
      const [name] = node.outputs;
      values.set(name, g.initializer(name, constant.type, constant.shape, constant.data));
      continue;
    }
    const inputs = node.inputs.map((name) => {
      if (name === '') return null;
      const value = values.get(name);
      if (!value) throw new Error(`node "${node.name}" (${node.op}) reads "${name}", which nothing before it makes`);
      return value;
    });
    const outputs = node.outputs.map((name) => {
      const { type, shape } = stated.get(name) ?? {};
      return type && shape ? { name, type, shape: named(name, shape) } : null;
    });
    g.scope(node.name.split('/').slice(0, -1).filter(Boolean).join('/'), () => {
      // What the file states may be less than what inference finds out, so it is only the second choice.
      const known = outputs.every((output) => output !== null) && !Object.hasOwn(shapes, node.op);
      const typed = known ? outputs : g.infer(node.op, inputs, node.attributes, node.outputs.length);
      const full = typed.map((output, i) => ({
        ...output,
        ...(node.outputs[i] === '' ? {} : { name: node.outputs[i] }),
      }));
      const made = g.append(node.op, inputs, node.attributes, full, node.name === '' ? undefined : node.name);
      made.forEach((value, i) => values.set(node.outputs[i], value));
    });
  }
  for (const { name } of model.outputs) {
    const value = values.get(name);
    if (!value) throw new Error(`output "${name}" of graph "${model.name}" is made by no node`);
    g.output(value, name);
  }
  return g;
}

/** Unnamed dimensions differ from each other. */
function named(name: string, shape: readonly Dim[]): Dim[] {
  return shape.map((dim, axis) => (dim === '?' ? `${name}.${axis}` : dim));
}

function constantOf({ attributes }: DecodedNode): Tensor | null {
  const [attribute] = Object.values(attributes);
  switch (attribute?.kind) {
    case 'tensor':
      return attribute.value;
    case 'int':
      return { type: 'int64', shape: [], data: BigInt64Array.of(int64(attribute.value)) };
    case 'ints':
      return { type: 'int64', shape: [attribute.value.length], data: BigInt64Array.from(attribute.value, int64) };
    case 'float':
      return { type: 'float32', shape: [], data: Float32Array.of(attribute.value) };
    case 'floats':
      return { type: 'float32', shape: [attribute.value.length], data: Float32Array.from(attribute.value) };
    case 'string':
    case 'strings':
    case 'other':
    case undefined:
      return null;
  }
}
