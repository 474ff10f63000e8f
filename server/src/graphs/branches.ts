/** An If whose condition is the same for all samples: the branch that is taken, written into the graph in its place. */
import { subgraphsOf } from '../onnx/decode.ts';
import type { DecodedInitializer, DecodedModel, DecodedNode, DecodedSubgraph } from '../onnx/decode.ts';
import { flowOf } from './flow.ts';
import { constantOf, nodeText } from './read.ts';
import { nth } from '../lists/nth.ts';

/**
 * The conditions that a run has to tell.
 * @throws Error for one that depends on the data
 */
export function conditionsOf(model: DecodedModel): string[] {
  const { fixed } = flowOf(model);
  return model.nodes.flatMap((node) => {
    if (node.op !== 'If') return [];
    const condition = nth(node.inputs, 0);
    if (!fixed.has(condition))
      throw new Error(
        `operator "If" ${nodeText(node)} is control flow that depends on the data; such graphs are not supported`,
      );
    return [condition];
  });
}

/** @param taken whether a condition holds */
export function withBranches(model: DecodedModel, taken: (condition: string) => boolean): DecodedModel {
  const initializers: DecodedInitializer[] = [...model.initializers];
  const nodes = model.nodes.flatMap((node, index) => {
    if (node.op !== 'If') return [node];
    const branch = node.attributes[taken(nth(node.inputs, 0)) ? 'then_branch' : 'else_branch'];
    const [graph] = subgraphsOf(branch);
    if (!graph) throw new Error(`operator "If" ${nodeText(node)} lacks a branch`);
    return inlined(node, graph, `branch${index}/`, initializers);
  });
  return { ...model, nodes, initializers };
}

/** Names inside of the branch get a prefix; its outputs get those of the node. */
function inlined(
  node: DecodedNode,
  graph: DecodedSubgraph,
  prefix: string,
  initializers: DecodedInitializer[],
): DecodedNode[] {
  const own = new Set([
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const renamed = (name: string): string => (name !== '' && own.has(name) ? prefix + name : name);
  for (const constant of graph.initializers) initializers.push({ ...constant, name: prefix + constant.name });
  const inner = graph.nodes.flatMap((inside): DecodedNode[] => {
    const constant = inside.op === 'Constant' ? constantOf(inside) : null;
    if (constant) {
      initializers.push({ ...constant, name: prefix + constant.name });
      return [];
    }
    return [{ ...inside, inputs: inside.inputs.map(renamed), outputs: inside.outputs.map(renamed) }];
  });
  const outputs = graph.outputs.map(({ name }, i): DecodedNode => ({
    name: `${node.name}/output${i}`,
    op: 'Identity',
    inputs: [renamed(name)],
    outputs: [nth(node.outputs, i)],
    attributes: {},
    metadata: node.metadata,
  }));
  return [...inner, ...outputs];
}
