/**
 * One row for each observation of gradients: its options, and the float64 numbers that it must be
 * (test/reference/scores/gradients.py).
 */
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
  product: Record<string, number[]>;
  spider: Record<string, Record<'claimed' | 'mask' | 'shuffled' | 'weight' | 'gradient', number> & { which: number[] }>;
  spider_without: Record<string, number[]>;
  grasp: { values: Record<string, number>; without: Record<string, number[]>; norm: number };
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
  /** Relative error by the start of a name, where it is not that of float32: pairs that share one of 65,536 bins. */
  within?: Record<string, number>;
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
  {
    of: 'weight_products',
    options: { batches: 2 },
    expected: ({ product, square }) => Object.fromEntries([...named('product', product), ...named('square', square)]),
  },
  {
    of: 'claimed_weights',
    options: { batches: 2, mask: false },
    expected: ({ spider, spider_without }) =>
      Object.fromEntries([
        ...(['claimed', 'mask', 'shuffled', 'weight', 'gradient'] as const).flatMap((name) =>
          named(name, Object.fromEntries(Object.entries(spider).map(([module, own]) => [module, own[name]]))),
        ),
        ...named('without', spider_without),
      ]),
    within: { shuffled: 1e-4 },
  },
];
