/**
 * Which samples each step sees. One seeded order of all samples per epoch, cut into batches; a training subset takes
 * its members out of these batches. So two trainings with the same seed on different subsets differ in the left-out
 * samples alone (common random numbers), which is what makes leave-one-out differences visible above the noise of the
 * order.
 */
import { Random } from '../random/random.ts';

/**
 * @param count samples there are @param members indices that are trained on; all others are left out
 * @param batchSize samples of a full batch; `count` or more means every step sees all members
 * @returns an endless sequence of steps, none empty, each in the epoch's order
 * @throws Error without members or with one outside 0 .. count - 1
 */
export function* miniBatches(
  count: number,
  members: readonly number[],
  batchSize: number,
  seed: number,
): Generator<number[], never, undefined> {
  const inside = new Set(members);
  const outside = members.find((i) => !Number.isInteger(i) || i < 0 || i >= count);
  if (inside.size === 0 || outside !== undefined) {
    throw new Error(`cannot train on samples [${members.join(', ')}]: at least one of 0 to ${count - 1} is needed`);
  }
  const random = new Random(seed, 'mini-batches');
  const all = [...inside].sort((a, b) => a - b);
  for (;;) {
    if (batchSize >= count) {
      yield all;
      continue;
    }
    const order = random.permutation(count);
    for (let start = 0; start < count; start += batchSize) {
      const batch = order.slice(start, start + batchSize).filter((i) => inside.has(i));
      if (batch.length > 0) yield batch;
    }
  }
}

/** Steps of one epoch when nothing is left out. */
export function stepsPerEpoch(count: number, batchSize: number): number {
  return Math.ceil(count / Math.min(count, batchSize));
}
