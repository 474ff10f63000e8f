/** What observations take, in bytes: their numbers by type and copies, and what reducers hold beside them. */
import type { Json } from '../../../protocol/scores.ts';
import { observationOf } from './observations.ts';
import type { ObservationId, ObservationSpec, ObservedShape } from './observations.ts';

/** Bytes of one number of a tensor. */
export function numberBytes({ singles, bytes }: ObservationSpec, tensor: string): 1 | 4 | 8 {
  if (bytes !== undefined && tensor.startsWith(`${bytes}/`)) return 1;
  return singles?.includes(tensor) ? 4 : 8;
}

/** What an observation takes, in bytes. */
export interface ObservationCost {
  /**
   * Its numbers: in the engine, in the message, and where they are received; what is not kept is in the engine alone.
   */
  numbers: number;
  /** Beside them while a layer is looked at. Reducers look one after the other. */
  work: number;
}

export function costOf(id: ObservationId, shape: ObservedShape, options: Record<string, Json>): ObservationCost {
  const spec = observationOf(id);
  let numbers = 0;
  for (const [name, dims] of Object.entries(spec.tensors(shape, options))) {
    const copies = spec.scratch?.includes(name) ? 1 : 3;
    numbers += copies * numberBytes(spec, name) * dims.reduce((a, b) => a * b, 1);
  }
  return { numbers, work: spec.work?.(shape, options) ?? 0 };
}
