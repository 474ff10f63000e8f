/** What a gradient rule gets and gives. */
import type { AttributeReader } from '../onnx/attributes.ts';
import type { Graph, Node, Value } from '../onnx/graph.ts';

/**
 * Inputs of a node by their places. The operator's definition says how many there are; one that may be left out is
 * undefined, and its rule looks before it reads.
 */
export type Operands = readonly [Value, Value, Value, Value, Value, ...Value[]];

export interface RuleContext extends AttributeReader {
  /** The graph to append to: nodes are written with its words. */
  g: Graph;
  node: Node;
  x: Operands;
  /** First output of the node. */
  y: Value;
  /** Cotangent of `y`, of the same shape. */
  dy: Value;
  /**
   * The same before it is spread out: an axis along which it is constant may be 1. For rules that multiply it
   * elementwise with something of the inputs' shape anyway; equal to `dy` where an input was broadcast.
   */
  thin: Value;
  /** Cotangents of all outputs, null where none arrives. Only rules of operators with several outputs read it. */
  dys: readonly (Value | null)[];
}

/**
 * One cotangent per input; null, or nothing at the end, where an input has none (indices, sizes, masks).
 *
 * Broadcasting is the walk's business: an answer may be larger than its input where the operator broadcast it (the walk
 * sums) and may have 1 where it is constant along an axis (the walk spreads it when somebody needs the full shape).
 * Answers that nobody asked for are dropped together with the nodes that make them.
 */
export type GradRule = (c: RuleContext) => readonly (Value | null)[];
