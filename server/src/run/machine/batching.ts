/** Sizes of batches and of the head's pieces. */
import { batches } from '../../data/batches.ts';
import type { Architecture } from '../../models/types.ts';
import { nth } from '../../lists/nth.ts';

export const MIB = 1 << 20;

/** Numbers in the logits of one run of the head. */
export const HEAD_NUMBERS = 8 * MIB;

/** Counted positions per run of the head. */
export function headRowsOf({ vocabulary }: Pick<Architecture, 'vocabulary'>): number {
  return Math.max(16, Math.min(512, Math.floor(HEAD_NUMBERS / vocabulary)));
}

/** Length-bucketed; where the tables depend on a sample's own length only equals share a batch. */
export function batchesOf(model: Architecture, lengths: number[], tokensPerBatch: number): number[][] {
  const groups = new Map<number, number[]>();
  lengths.forEach((length, i) => {
    const key = model.lengthMatters(length) ? length : 0;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()].flatMap((members) =>
    batches(
      members.map((i) => nth(lengths, i)),
      tokensPerBatch,
    ).map((batch) => batch.map((position) => nth(members, position))),
  );
}
