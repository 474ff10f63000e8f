/** The consumers, one row each. */
import { LayerifError } from '../../../protocol/errors.ts';
import { llamaCpp, mergekit } from './dropped.ts';
import { llmCompressor } from './llmCompressor.ts';
import { alphalora, mola } from './mola.ts';
import { alphaPruningNpy, layerifNpy } from './npy.ts';
import { peft } from './peft.ts';
import { csv, markdown } from './tables.ts';
import { axolotl, llamaFactory } from './trainers.ts';
import type { ExportTarget } from './types.ts';

export const exportTargets: readonly ExportTarget[] = [
  peft,
  mola,
  alphalora,
  alphaPruningNpy,
  layerifNpy,
  llmCompressor,
  mergekit,
  llamaCpp,
  axolotl,
  llamaFactory,
  csv,
  markdown,
];

/** @throws LayerifError `badRequest` */
export function exportTarget(id: string): ExportTarget {
  const target = exportTargets.find((known) => known.id === id);
  if (target) return target;
  const ids = exportTargets.map((known) => known.id).join(', ');
  throw new LayerifError('badRequest', `unknown target "${id}": use --to with one of ${ids}`);
}
