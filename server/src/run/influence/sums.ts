/**
 * `score.accumulate: sums`: what it can be asked with, which samples have Grams beside it, and what it costs
 * (engine/grams/linearMode.ts).
 */
import type { SumsPlan } from '../../../../protocol/engine.ts';
import type { Architecture } from '../../models/types.ts';
import { Random } from '../../random/random.ts';
import type { Prepared, PreparedTask } from '../inputs/prepared.ts';
import { blockSizes } from '../machine/memory.ts';

type Subsample = SumsPlan['subsample'];

/** Seeded, ascending; all samples where they are no more than `most`. */
export function subsampleOf(
  { task: { task }, train, validation }: Pick<PreparedTask, 'task' | 'train' | 'validation'>,
  most: number,
  seed: number,
): Subsample {
  const of = (count: number, split: string) =>
    new Random(seed, `subsample ${task} ${split}`).subset(count, Math.min(count, most)).sort((a, b) => a - b);
  return { train: of(train.length, 'train'), validation: of(validation.length, 'validation') };
}

export const countOf = ({ train, validation }: Subsample): number => train.length + validation.length;

/** The first samples of each split; null for none. */
export function firstOf(known: PreparedTask['known']): Subsample | null {
  const range = (count: number) => Array.from({ length: count }, (_, i) => i);
  return known ? { train: range(known.train), validation: range(known.validation) } : null;
}

/** The chosen samples, and the others. */
export function apart(count: number, chosen: readonly number[]): [number[], number[]] {
  const own = new Set(chosen);
  return [[...chosen], Array.from({ length: count }, (_, i) => i).filter((i) => !own.has(i))];
}

/** Floating-point operations beside the sweeps and the Grams of the subsample. */
export function sumsCost(
  model: Architecture,
  { layers, modules }: Prepared['scope'],
  work: {
    train: readonly { rows: number; length: number }[];
    /** Tokens. */
    validation: number;
    /** Tokens of training samples that run backward a second time. */
    again: number;
    /** Whether there is a weighted sum of training gradients. */
    weighted: boolean;
  },
): { sweeps: number; products: number } {
  const kinds = new Map(blockSizes(model).map(({ layer, captures }) => [model.kind(layer), captures]));
  const tokens = work.train.reduce((sum, { rows, length }) => sum + rows * length, 0);
  const cost = { sweeps: 0, products: 0 };
  for (const layer of layers) {
    const captures = kinds.get(model.kind(layer))!;
    const all = captures.reduce((sum, c) => sum + c.rows * c.columns, 0);
    if (work.weighted) cost.sweeps += 4 * all * work.again;
    for (const { rows, columns } of captures.filter((c) => modules.includes(c.module))) {
      // v; c; Σ w g and the products with u
      cost.products += 2 * rows * columns * (work.validation + (work.weighted ? 3 : 1) * tokens);
      for (const { rows: samples, length } of work.train)
        cost.products += 2 * samples * length * Math.min(length * (rows + columns), rows * columns);
    }
  }
  return cost;
}
