/**
 * A graph as text, one line per value, in the order of the graph: for golden files and for reading a graph in a
 * terminal.
 *
 *   layers.3/mlp/MatMul: float32[B, T, 256] = MatMul(x, layers.3.mlp.up_proj.weight)
 *
 * Constants that are named by their content (`g.ints`, `g.scalar`) are not listed; short ones show their content.
 */
import type { Graph } from './graph.ts';
import type { Attribute, Initializer, Node } from './types.ts';
import { shapeText, typeText } from './types.ts';

/** Longer constants show their size only. */
const longest = 8;

export function graphText(g: Graph): string {
  const sections: [string, string[]][] = [
    ['inputs', g.inputs.map((input) => `${input.name}: ${typeText(input)}`)],
    ['constants', g.initializers.flatMap((initializer) => constantText(initializer) ?? [])],
    ['nodes', g.nodes.map(nodeText)],
    ['outputs', g.outputs.map((output) => `${output.name}: ${typeText(output)}`)],
  ];
  const body = sections.flatMap(([title, lines]) => [title, ...lines.map((line) => `  ${line}`)]);
  return [`graph ${g.name}`, ...body, ''].join('\n');
}

function constantText({ value, data, external }: Initializer): string | null {
  const head = `${value.name}: ${typeText(value)}`;
  if (external) return `${head} = ${external.length} bytes at ${external.offset} of ${external.location}`;
  if (!data || data.length > longest) return head;
  const numbers = Array.from(data as Iterable<number | bigint>, Number);
  const content = value.shape.length === 0 ? String(numbers[0]) : shapeText(numbers);
  const own = value.name.replace(/:\w+$/, '');
  return own === content || Math.fround(Number(own)) === numbers[0] ? null : `${head} = ${content}`;
}

function nodeText(node: Node): string {
  const outputs = node.outputs.map((output) => `${output.name}: ${typeText(output)}`).join(', ');
  const inputs = node.inputs.map((input) => input?.name ?? 'none').join(', ');
  const attributes = Object.entries(node.attributes).map(
    ([name, attribute]) => `${name} = ${attributeText(attribute)}`,
  );
  return `${outputs} = ${node.op}(${inputs})${attributes.length > 0 ? ` {${attributes.join(', ')}}` : ''}`;
}

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case 'int':
    case 'string':
      return String(attribute.value);
    case 'float':
      return Number.isInteger(attribute.value) ? attribute.value.toFixed(1) : String(attribute.value);
    case 'ints':
    case 'floats':
    case 'strings':
      return `[${attribute.value.join(', ')}]`;
    case 'tensor':
      return typeText(attribute.value);
    case 'other':
      return attribute.subgraph ? 'subgraph' : `${attribute.value.length} bytes`;
  }
}
