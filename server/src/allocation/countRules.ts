/**
 * Rules that give every layer a whole number: of LoRA experts, or of ranks. One file per rule; to add one, imitate
 * `layerifCounts.ts` and add it to the table.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { alphaLoraCounts } from './alphaLoraCounts.ts';
import { layerifCounts } from './layerifCounts.ts';
import { mola } from './molaCounts.ts';
import { randomCounts } from './randomCounts.ts';
import { releasedCounts } from './releasedCounts.ts';
import type { CountRule } from './types.ts';
import { uniformCounts } from './uniformCounts.ts';

export const countRules: readonly CountRule[] = [
  layerifCounts,
  releasedCounts,
  alphaLoraCounts,
  mola('2468'),
  mola('5555'),
  mola('8642'),
  uniformCounts,
  randomCounts,
];

/** @throws LayerifError `badRequest` for an id that is none; any shape may follow `mola_`. */
export function countRule(id: string): CountRule {
  const known = countRules.find((rule) => rule.id === id);
  if (known) return known;
  const shape = /^mola[_-](\d+(?:[,-]\d+)*)$/.exec(id)?.[1];
  if (shape) return mola(shape);
  const ids = countRules.map((rule) => rule.id).join(', ');
  throw new LayerifError(
    'badRequest',
    `rule "${id}" gives no experts or ranks: use one of ${ids}, or mola_ with a shape such as mola_1234 or mola_4-6-10`,
  );
}
