/** All batches through one block, forward, by the session that the sweeps use too. */
import { tablesFor } from './batch.ts';
import type { Batch } from './batch.ts';
import { forwardGraph } from './graphs.ts';
import type { Model } from './model.ts';
import type { Tensor } from './runtime.ts';

/** @param inputs per batch [B, T, hidden] @returns the block's outputs, with the weights as they are now */
export async function throughBlock(model: Model, batches: Batch[], inputs: Tensor[], layer: number): Promise<Tensor[]> {
  const { built, session } = await model.session(`forward ${model.architecture.kind(layer)}`, () =>
    forwardGraph(model.architecture, [layer]),
  );
  const feeds = model.weights.feeds(built.weights, [layer]);
  const outputs: Tensor[] = [];
  for (const [i, batch] of batches.entries()) {
    outputs.push((await session.run({ x: inputs[i], ...feeds, ...tablesFor(batch, built.tables) })).y);
  }
  return outputs;
}
