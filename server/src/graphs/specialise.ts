/**
 * A user's graph for samples of one shape: a `Graph` in which every size is a number. Shapes and types are what a run
 * of the graph itself told (the probe), so nothing has to be inferred; what is the same for all samples of this shape
 * becomes a constant; operators are brought into the form of opset 21 or made of simpler ones (`lower.ts`). Weights
 * stay outside, as inputs.
 */
import { Graph } from '../onnx/graph.ts';
import type { Value } from '../onnx/graph.ts';
import type { DecodedModel, DecodedNode } from '../onnx/decode.ts';
import type { TypedArray } from '../onnx/types.ts';
import { flowOf, isWeight } from './flow.ts';
import { lower } from './lower.ts';
import { scopeOf } from './names.ts';
import { nodeText } from './read.ts';
import type { GraphModule, Probed } from './types.ts';

/** Where a use of a module reads and writes: y = x Wᵀ, x [.., columns], y [.., rows] (a convolution: [N, C, ..]). */
export interface GraphCapture {
  module: GraphModule;
  node: DecodedNode;
  x: Value;
  y: Value;
  /** Axes after the batch are the last ones but for a weight on the left, where rows and columns are last but one. */
  left: boolean;
  /** Factor between y and the product with the weight. */
  alpha: number;
}

export interface SpecialisedGraph {
  graph: Graph;
  /** Values by the names they have in the file. */
  values: ReadonlyMap<string, Value>;
  /** Graph inputs that are constants of the file: name of the input -> name in the file. */
  weights: ReadonlyMap<string, string>;
  captures: GraphCapture[];
}

export interface Specialisation {
  model: DecodedModel;
  probed: ReadonlyMap<string, Probed>;
  /** Content of a constant. */
  constant: (name: string) => TypedArray;
  modules: readonly GraphModule[];
}

/** @throws Error naming the node that cannot be built */
export function specialise({ model, probed, constant, modules }: Specialisation): SpecialisedGraph {
  const g = new Graph(model.name === '' ? 'graph' : model.name);
  const { fixed, foldable } = flowOf(model);
  const initializers = new Map(model.initializers.map((c) => [c.name, c]));
  const values = new Map<string, Value>();
  const weights = new Map<string, string>();
  const uses = new Map(modules.flatMap((module) => module.uses.map((use) => [use.node.outputs[0], { module, use }])));
  const captures: GraphCapture[] = [];

  for (const { name } of model.inputs) {
    const { type, shape } = known(probed, name);
    values.set(name, g.input(`input/${name}`, type, shape));
  }
  const valueOf = (name: string): Value => {
    const made = values.get(name);
    if (made) return made;
    const value = constantValue(name);
    values.set(name, value);
    return value;
  };
  const constantValue = (name: string): Value => {
    const stored = initializers.get(name);
    if (stored && isWeight(stored)) {
      weights.set(`weight/${name}`, name);
      return g.input(`weight/${name}`, stored.type, stored.shape);
    }
    const { type, shape, data } = stored
      ? { ...stored, data: constant(name) }
      : { ...known(probed, name), data: known(probed, name).data };
    if (!data) throw new Error(`the probe kept no content of "${name}"`);
    return g.initializer(`constant/${name}`, type, shape, data);
  };

  for (const node of model.nodes) {
    if (node.outputs.every((output) => output === '' || (fixed.has(output) && foldable.has(output)))) continue;
    const outputs = node.outputs.map((name) => (name === '' ? null : (probed.get(name) ?? null)));
    if (outputs.every((output) => output === null)) continue; // nothing that is wanted reads it
    const use = uses.get(node.outputs[0]);
    const made = g.scope(scopeOf(node) ?? '', () => {
      try {
        return lower({
          g,
          node,
          opset: model.opsets[''] ?? 1,
          inputs: node.inputs.map((name) => (name === '' ? null : valueOf(name))),
          outputs,
          captured: (x, y, { left = false, alpha = 1 } = {}) => {
            if (use) captures.push({ module: use.module, node, x, y, left, alpha });
          },
        });
      } catch (error) {
        throw new Error(`operator "${node.op}" ${nodeText(node)}: ${(error as Error).message}`, { cause: error });
      }
    });
    node.outputs.forEach((name, i) => {
      if (name !== '' && made[i]) values.set(name, made[i]);
    });
  }
  return { graph: g, values, weights, captures };
}

function known(probed: ReadonlyMap<string, Probed>, name: string): Probed {
  const value = probed.get(name);
  if (!value) throw new Error(`the probe told nothing of "${name}"`);
  return value;
}
