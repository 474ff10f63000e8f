/** One row for each observation of gradients: its options, and the float64 numbers that it must be (test/reference/scores/gradients.py). */
import fs from 'node:fs';
import path from 'node:path';
import type { Json } from '../../protocol/scores.ts';
import type { GradientObservationId } from '../../server/src/scores/observations.ts';
import { casesFolder } from './reference.ts';

/** By `<layer>.<module>`. */
export interface GradientReference {
  whole: Record<string, number>;
  without: Record<string, number[]>;
  batch: Record<string, number[]>;
  square: Record<string, number>;
  norms: Record<string, number[]>;
  snip: Record<string, number>;
}

export const gradientFamilies = ['llama/biases', 'gpt2/by_layer'] as const;
export type GradientFamily = (typeof gradientFamilies)[number];

export function gradientsReference(): Record<GradientFamily, GradientReference> {
  const file = path.join(casesFolder, 'scores', 'gradients.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<GradientFamily, GradientReference>;
}

export interface GradientCase {
  of: GradientObservationId;
  options: Record<string, Json>;
  expected: (reference: GradientReference) => Record<string, number[]>;
}

/** `<name>/<layer>.<module>` */
const named = (name: string, values: Record<string, number | number[]>) =>
  Object.entries(values).map(([module, value]) => [`${name}/${module}`, [value].flat()] as const);

export const gradientCases: readonly GradientCase[] = [
  {
    of: 'weighted_gradients',
    options: { batches: 2 },
    expected: ({ whole, without, batch, square }) =>
      Object.fromEntries(Object.entries({ whole, without, batch, square }).flatMap(([name, of]) => named(name, of))),
  },
  { of: 'gradient_norms', options: {}, expected: ({ norms }) => norms },
];
