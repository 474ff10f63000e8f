/**
 * Sparsity under a structure N:M: of every M consecutive weights of a row, N are kept, as hardware vendors count. `2:4`
 * with a uniform map is the structure that hardware speeds up. A map that varies means another N per layer: N is
 * rounded down or up so that the whole comes nearest to the wanted ratio, larger fractions first, the lower layer first
 * among equals; at least one weight of a group stays.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { order, sum } from './rounding.ts';
import { nth } from '../lists/nth.ts';

export interface Structure {
  zeros: number;
  of: number;
}

/** Null for `unstructured`. @throws LayerifError `badRequest` */
export function readStructure(text: string): Structure | null {
  if (text === 'unstructured') return null;
  const found = /^(\d+):(\d+)$/.exec(text);
  const [kept, of] = found ? [Number(found[1]), Number(found[2])] : [0, 0];
  if (kept >= 1 && kept < of) return { zeros: of - kept, of };
  throw new LayerifError(
    'badRequest',
    `structure "${text}" is unknown: use unstructured, or N:M with N kept of every M weights, such as 2:4 or 4:8`,
  );
}

/**
 * Zeros per group of `of`, one per item, whose weighted mean is nearest to that of `sparsity` among the roundings that
 * keep its order.
 */
export function roundToGroups(sparsity: readonly number[], weights: readonly number[], of: number): number[] {
  // 0.5 * 4 is exact; 0.3 * 10 is a hair below 3.
  const exact = sparsity.map((p) => Math.min(of - 1, Number((p * of).toFixed(9))));
  const floors = exact.map(Math.floor);
  const raise = order(exact.map((value, i) => value - nth(floors, i))).filter(
    (i) => nth(floors, i) < of - 1 && nth(exact, i) > nth(floors, i),
  );
  const wanted = sum(exact.map((value, i) => value * nth(weights, i)));
  let gap = wanted - sum(floors.map((value, i) => value * nth(weights, i)));
  let best = { raised: 0, distance: Math.abs(gap) };
  raise.forEach((item, k) => {
    gap -= nth(weights, item);
    if (Math.abs(gap) < best.distance) best = { raised: k + 1, distance: Math.abs(gap) };
  });
  const zeros = [...floors];
  for (const item of raise.slice(0, best.raised)) zeros[item] = nth(zeros, item) + 1;
  return zeros;
}
