/** What a row of the lowering tables is: one node of a user's graph in, nodes of opset 21 out. */
import type { AttributeReader } from '../onnx/attributes.ts';
import type { DecodedNode } from '../onnx/decode.ts';
import type { Graph, Value } from '../onnx/graph.ts';
import type { Attributes, Outputs } from '../onnx/types.ts';
import type { Probed } from './types.ts';

export interface LowerContext extends AttributeReader {
  g: Graph;
  node: DecodedNode;
  /** Version of the standard operators in the file. */
  opset: number;
  inputs: readonly (Value | null)[];
  /** Input that must be there. @throws Error naming it */
  x(i: number): Value;
  /** Content of a constant input, null where it is left out. @throws Error when it is no constant */
  numbers(i: number): number[] | null;
  /** What the probe told of each output; null for outputs that nothing reads. */
  outputs: readonly (Probed | null)[];
  /** Says that y (a node's output) is x times the node's weight, `alpha` times. */
  captured(x: Value, y: Value, options?: { left?: boolean; alpha?: number }): void;
  /** The node as it is, perhaps with other inputs or attributes. */
  same(inputs?: readonly (Value | null)[], attributes?: Attributes): Outputs;
}

/** Outputs in the node's order. */
export type Lowering = (c: LowerContext) => (Value | null)[];
