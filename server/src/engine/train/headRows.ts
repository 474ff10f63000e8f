import { headRows } from '../../models/head.ts';
import type { Architecture } from '../../models/types.ts';

/** Numbers that a run of the head makes at most, while a training holds its own. */
const NUMBERS = 8 << 20;

/** Counted positions per run of the head. */
export function trainingHeadRows(architecture: Architecture): number {
  return Math.max(16, Math.min(1024, Math.floor(NUMBERS / headRows(architecture))));
}
