/**
 * Whether a graph gives logits for every token or, as graphs that were exported for generation do, for the last one
 * alone. Told from the stated shape, else from the nodes between the head and the blocks: a Gather or Slice along the
 * tokens with a constant place.
 */
import { readerOf } from '../onnx/attributes.ts';
import type { DecodedModel, DecodedNode } from '../onnx/decode.ts';

/** Operators that the head may consist of; what stands before them is the last block's. */
const inHead = new Set([
  'Add',
  'Cast',
  'DequantizeLinear',
  'Div',
  'Gemm',
  'Identity',
  'LayerNormalization',
  'MatMul',
  'Mul',
  'Pow',
  'ReduceMean',
  'Reshape',
  'Sqrt',
  'Squeeze',
  'Sub',
  'Tanh',
  'Unsqueeze',
  'Reciprocal',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'com.microsoft.SkipSimplifiedLayerNormalization',
  'com.microsoft.SkipLayerNormalization',
]);

/** Nodes behind the logits that are looked at. */
const MOST_NODES = 24;

/** What says so; null where nothing speaks against logits for every token. */
export function logitPositions(model: DecodedModel, logits: string): string | null {
  const shape = model.outputs.find(({ name }) => name === logits)?.shape;
  if (shape?.length === 3 && shape[1] === 1) return `its shape is [${shape.join(', ')}]`;
  const makers = new Map(model.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const waiting = [logits];
  for (let seen = 0; waiting.length > 0 && seen < MOST_NODES; seen++) {
    const node = makers.get(waiting.shift()!);
    if (!node) continue;
    if (picksOneToken(model, node)) return `node "${node.name}" (${node.op}) takes one of them`;
    if (inHead.has(node.op)) waiting.push(...node.inputs.filter((name) => name !== ''));
  }
  return null;
}

/** Along axis 1 of [batch, tokens, width], the last place. */
function picksOneToken(model: DecodedModel, node: DecodedNode): boolean {
  const numbers = (name: string | undefined): number[] | null => {
    const data = model.initializers.find((constant) => constant.name === name)?.data;
    return data && data.length <= 8 ? Array.from(data as Iterable<number | bigint>, Number) : null;
  };
  if (node.op === 'Gather') return readerOf(node).int('axis', 0) === 1 && numbers(node.inputs[1])?.join() === '-1';
  if (node.op !== 'Slice') return false;
  const starts = numbers(node.inputs[1]) ?? readerOf(node).ints('starts') ?? [];
  const axes = numbers(node.inputs[3]) ?? readerOf(node).ints('axes') ?? starts.map((_, axis) => axis);
  const along = axes.findIndex((axis) => axis === 1 || axis === -2);
  return along >= 0 && starts[along] === -1;
}
