/**
 * The order in which layers are left out: of each round the layer with the least loss over all texts, of equal ones the
 * lower.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';

/** @param losses [rounds, layers, texts], of which the first `done` rounds are known */
export function greedyOrder({ shape, data }: Tensors[string], done = nth(shape, 0)): { layer: number; loss: number }[] {
  const [, layers, texts] = take(shape, 3);
  const order: { layer: number; loss: number }[] = [];
  for (let round = 0; round < done; round++) {
    let best = { layer: -1, loss: Infinity };
    for (let layer = 0; layer < layers; layer++) {
      if (order.some((gone) => gone.layer === layer)) continue;
      let loss = 0;
      for (let text = 0; text < texts; text++) loss += nth(data, (round * layers + layer) * texts + text);
      if (loss < best.loss) best = { layer, loss };
    }
    order.push(best);
  }
  return order;
}
