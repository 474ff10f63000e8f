/**
 * Which values of a graph depend on what: on the data (its inputs' contents), on large constants, or on shapes alone.
 * What depends on neither is folded into constants; a branch that is chosen by such a value is no control flow.
 */
import { subgraphsOf } from '../onnx/decode.ts';
import type { DecodedInitializer, DecodedModel, DecodedNode } from '../onnx/decode.ts';
import { isFloat } from '../onnx/types.ts';

/** A longer list of numbers is a weight even where it has one axis. */
const SMALL = 4096;

/**
 * Constants that a session is fed with: matrices and kernels, which stay in one place in memory, and other large ones.
 */
export function isWeight({ type, shape }: DecodedInitializer): boolean {
  const size = shape.reduce((a, b) => a * b, 1);
  return (isFloat(type) && shape.length >= 2 && size > 1) || size > SMALL;
}

export interface Flow {
  /** Values that are the same for all samples of one shape. */
  fixed: ReadonlySet<string>;
  /** Of these, the ones that no weight goes into. */
  foldable: ReadonlySet<string>;
}

/** Values that reading the graph and the shapes of its inputs tells. */
export function flowOf(model: DecodedModel): Flow {
  const fixed = new Set(model.initializers.map(({ name }) => name));
  const foldable = new Set(model.initializers.filter((c) => !isWeight(c)).map(({ name }) => name));
  for (const node of model.nodes) {
    const inputs = readBy(node);
    const shapes = node.op === 'Shape' || node.op === 'Size';
    if (!shapes && !inputs.every((name) => fixed.has(name))) continue;
    for (const output of node.outputs) fixed.add(output);
    if (!shapes && !inputs.every((name) => foldable.has(name))) continue;
    for (const output of node.outputs) foldable.add(output);
  }
  return { fixed, foldable };
}

/** Values that a node reads, those of the graph around its subgraphs included. */
export function readBy(node: DecodedNode): string[] {
  const inner = Object.values(node.attributes).flatMap((attribute) =>
    subgraphsOf(attribute).flatMap((graph) => {
      const own = new Set([
        ...graph.inputs.map(({ name }) => name),
        ...graph.initializers.map(({ name }) => name),
        ...graph.nodes.flatMap(({ outputs }) => outputs),
      ]);
      return [...graph.nodes.flatMap(readBy), ...graph.outputs.map(({ name }) => name)].filter(
        (name) => !own.has(name),
      );
    }),
  );
  return [...node.inputs, ...inner].filter((name) => name !== '');
}

/** The nodes that a value needs, in order; all others are left out. */
export function pruned(model: DecodedModel, outputs: readonly string[]): DecodedModel {
  const needed = new Set(outputs);
  const nodes: DecodedNode[] = [];
  for (const node of [...model.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.unshift(node);
    for (const input of readBy(node)) needed.add(input);
  }
  return {
    ...model,
    nodes,
    initializers: model.initializers.filter(({ name }) => needed.has(name)),
    inputs: model.inputs.filter(({ name }) => needed.has(name)),
    outputs: model.outputs.filter(({ name }) => outputs.includes(name)),
  };
}
