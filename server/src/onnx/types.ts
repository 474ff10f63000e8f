/**
 * The vocabulary of a graph: data types, symbolic dimensions, values, nodes, attributes.
 *
 * A new data type is one row of `dataTypes`.
 */

export type TypedArray =
  Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array | Uint8Array | Int8Array;

/** `code`: number in `TensorProto.DataType`. float16 and bfloat16 are held as their 16 bits, bool as 0 or 1. */
export const dataTypes = {
  float32: { code: 1, bytes: 4, array: Float32Array, float: true },
  float64: { code: 11, bytes: 8, array: Float64Array, float: true },
  float16: { code: 10, bytes: 2, array: Uint16Array, float: true },
  bfloat16: { code: 16, bytes: 2, array: Uint16Array, float: true },
  int64: { code: 7, bytes: 8, array: BigInt64Array, float: false },
  int32: { code: 6, bytes: 4, array: Int32Array, float: false },
  uint16: { code: 4, bytes: 2, array: Uint16Array, float: false },
  uint8: { code: 2, bytes: 1, array: Uint8Array, float: false },
  int8: { code: 3, bytes: 1, array: Int8Array, float: false },
  bool: { code: 9, bytes: 1, array: Uint8Array, float: false },
} as const;

export type DataType = keyof typeof dataTypes;

export function isFloat(type: DataType): boolean {
  return dataTypes[type].float;
}

export function dataTypeOf(code: number): DataType | undefined {
  return (Object.keys(dataTypes) as DataType[]).find((type) => dataTypes[type].code === code);
}

/** A number, or a symbol such as 'B' whose value is known when the graph runs. */
export type Dim = number | string;

/** A tensor in a graph. Compared by identity; `name` is unique within its graph. */
export interface Value {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly Dim[];
}

/** Outputs of a node: at least one. */
export type Outputs = [Value, ...Value[]];

/** Bytes in a file beside the model; `location` is relative to the folder the session is told. */
export interface ExternalData {
  location: string;
  offset: number;
  length: number;
}

export interface Tensor {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** A constant of a graph: its content, or where the content lies. */
export interface Initializer {
  readonly value: Value;
  readonly data: TypedArray | null;
  readonly external: ExternalData | null;
}

/**
 * The form in which a node holds an attribute. `other`: an encoded AttributeProto (subgraphs, sparse tensors, types).
 */
export type Attribute =
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'string'; value: string }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'floats'; value: readonly number[] }
  | { kind: 'strings'; value: readonly string[] }
  | { kind: 'tensor'; value: Tensor }
  | { kind: 'other'; value: Uint8Array; subgraph: boolean };

export type Attributes = Readonly<Record<string, Attribute>>;

/** What the builder takes: `attributesOf` (attributes.ts) tells floats from integers by the attribute's name. */
export type AttributeInput = number | bigint | string | readonly number[] | readonly string[] | Tensor | Attribute;

export interface Node {
  readonly name: string;
  /** Operator; operators outside the standard domain carry it in front: `com.microsoft.FusedMatMul`. */
  readonly op: string;
  /** `null` where an optional input is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
  /** The scopes open when the node was added, outermost first: `layers.3/self_attn/q_proj`, or ''. */
  readonly scope: string;
}

/** `float32[B, T, 96]` */
export function typeText(value: { type: DataType; shape: readonly Dim[] }): string {
  return `${value.type}${shapeText(value.shape)}`;
}

export function shapeText(shape: readonly Dim[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * int64 of a number; what lies beyond its ends is cut to them (slices write "to the end" as the largest int64).
 * Fractions throw.
 */
export function int64(x: number): bigint {
  if (Math.abs(x) < 2 ** 63) return BigInt(x);
  return x < 0 ? -(2n ** 63n) : 2n ** 63n - 1n;
}
