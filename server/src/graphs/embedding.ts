/** How many token ids a graph has an embedding for: the rows of the table that its token ids index. */
import type { DecodedModel } from '../onnx/decode.ts';
import { roleOf } from './inputs.ts';
import { nth } from '../lists/nth.ts';

/** What gives the ids on as they are; GPT-2's exports shape them first. */
const passing = new Set(['Cast', 'Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/** Null where the ids go into something else than a Gather of a constant table. */
export function embeddingRows(model: DecodedModel): number | null {
  const ids = new Set(model.inputs.filter((input) => roleOf(input) === 'tokens').map(({ name }) => name));
  const tables = new Map(model.initializers.map(({ name, shape }) => [name, shape]));
  let rows: number | null = null;
  for (const { op, inputs, outputs } of model.nodes) {
    if (passing.has(op) && ids.has(nth(inputs, 0))) ids.add(nth(outputs, 0));
    const shape = op === 'Gather' && ids.has(nth(inputs, 1)) ? tables.get(nth(inputs, 0)) : undefined;
    if (shape?.length === 2) rows = Math.min(rows ?? Infinity, nth(shape, 0));
  }
  return rows;
}
