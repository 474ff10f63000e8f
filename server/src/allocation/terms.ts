/** Numbers between a rule's values and what it gives, by name: lists over layers or matrices, and one place of them. */
import { nth } from '../lists/nth.ts';

export type Terms = Record<string, readonly number[]>;

/** @param of a number as it is shown; default: as it is */
export function termsAt(
  terms: Terms,
  place: number,
  of: (name: string, value: number) => number = (_, value) => value,
): Record<string, number> {
  return Object.fromEntries(Object.entries(terms).map(([name, values]) => [name, of(name, nth(values, place))]));
}
