/** The matrices of a layer's linear modules as the checkpoint has them, one after the other. */
import type { LinearModule } from '../../models/types.ts';
import { weightName } from '../sweep/weights.ts';
import type { ReducerContext } from './types.ts';

/**
 * @param visit gets the module, the name of its tensor and its weights, row by row as stored
 * @throws LayerifError `cancelled` between two matrices; what `visit` throws
 */
export async function eachStored(
  { model, shape }: Pick<ReducerContext, 'model' | 'shape'>,
  layer: number,
  visit: (module: LinearModule, tensor: string, weights: () => Float32Array) => void,
): Promise<void> {
  const { architecture, weights, runtime } = model;
  for (const { name } of shape.modules(layer)) {
    const module = architecture.modules(layer).find((m) => m.name === name)!;
    const tensor = weightName(architecture, layer, module);
    visit(module, tensor, () => weights.original(tensor));
    // A turn of the loop, in which a cancel can arrive.
    await new Promise((turn) => setImmediate(turn));
    runtime.signal?.throwIfAborted();
  }
}
