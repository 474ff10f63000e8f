/** Additive attention masks [length, length]: 0 where the row may look at the column, the lowest float32 elsewhere. */
import type { Table } from './tables.ts';

/** What is not seen. */
export const HIDDEN = -3.4028234663852886e38;

/** @param window number of last positions, itself included, that a position sees; null for all */
export function causalMask(length: number, window: number | null): Table {
  const data = new Float32Array(length * length).fill(HIDDEN);
  for (let row = 0; row < length; row++) {
    const first = window === null ? 0 : Math.max(0, row - window + 1);
    data.fill(0, row * length + first, row * length + row + 1);
  }
  return { shape: [length, length], data };
}
