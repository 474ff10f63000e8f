/**
 * An operator between scored layers and logits that has no differentiation rule, told from the file alone. Whether a
 * value is of a float type is told for operators whose outputs never are; of others it is taken for one, as of nearly
 * every value on that way it is.
 */
import type { DecodedNode } from '../onnx/decode.ts';
import { flowOf, readBy } from './flow.ts';
import type { OpenedGraph } from './open.ts';
import { operators } from './operators.ts';

/** Outputs are whole numbers or booleans: no gradient goes through. */
const notFloat = /^(Shape|Size|Arg(Max|Min)|Equal|(Less|Greater)(OrEqual)?|Is(NaN|Inf)|NonZero|Not|And|Or|Xor)$/;

/** @param scored whether a module of a layer is */
export function withoutRule(
  { file: { model }, found, logits }: Pick<OpenedGraph, 'file' | 'found' | 'logits'>,
  scored: (layer: number, module: string) => boolean,
): DecodedNode | null {
  const { fixed } = flowOf(model);
  const leads = new Set(
    found.layers.flatMap(({ modules }, layer) =>
      modules
        .filter(({ name }) => scored(layer, name))
        .flatMap(({ module }) => module.uses.flatMap(({ node }) => node.outputs)),
    ),
  );
  const between: DecodedNode[] = [];
  for (const node of model.nodes) {
    if (notFloat.test(node.op) || !readBy(node).some((name) => leads.has(name))) continue;
    between.push(node);
    for (const output of node.outputs) if (!fixed.has(output)) leads.add(output);
  }
  const known = new Set(operators().map(({ id }) => id));
  const wanted = new Set([logits]);
  for (const node of between.reverse()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    if (!known.has(node.op)) return node;
    for (const name of readBy(node)) wanted.add(name);
  }
  return null;
}
