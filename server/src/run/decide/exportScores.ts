/** From a file of scores to a file for another program. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoreTable } from '../../../../protocol/scores.ts';
import { safetensorsBytes } from '../../checkpoints/safetensors.ts';
import { scoreTargets } from '../../export/scoreTables.ts';
import type { ScoreTarget } from '../../export/scoreTables.ts';
import { ObservationFiles } from '../scores/observationFiles.ts';
import { readFileOf } from '../files/readFile.ts';
import type { Exported } from './export.ts';
import { nth } from '../../lists/nth.ts';

/** What `--to` may say of a file of scores. */
export const scoreTargetIds: readonly string[] = scoreTargets.map(({ id }) => id);

export interface ExportScoresOptions {
  /** `*.layerif-scores.json` */
  scoresFile: string;
  to: string;
  /** Id of the score; default: the only one. */
  by?: string | undefined;
}

/** @throws LayerifError `badRequest`: no such target or score, several tables where one is wanted; `badResult` */
export function exportScores({ scoresFile, to, by }: ExportScoresOptions): Exported {
  const target = scoreTargets.find(({ id }) => id === to);
  if (!target) {
    throw new LayerifError(
      'badRequest',
      `${path.basename(scoresFile)} holds scores, which --to ${to} does not take: use one of ${scoreTargetIds.join(', ')}`,
    );
  }
  const { tables, model } = readFileOf('scores', scoresFile);
  const chosen = chosenTables(tables, target, by, path.basename(scoresFile));
  const files = new ObservationFiles(path.dirname(scoresFile), model.sha256);
  const made = target.make(chosen, (key) => {
    return files.read({ key, hash: createHash('sha256').update(key).digest('hex').slice(0, 16) });
  });
  const content =
    typeof made === 'string' || made instanceof Uint8Array
      ? made
      : safetensorsBytes(made.bits.map(({ name, data }) => ({ name, dtype: 'U8', shape: [data.length], data })));
  const base = path.basename(scoresFile).slice(0, -SCORES_SUFFIX.length);
  const one = chosen.length === 1 ? `.${nth(chosen, 0).score}` : '.scores';
  const own = target.score === null ? one : `.${target.id}`;
  return { content, file: path.join(path.dirname(scoresFile), `${base}${own}${target.ending}`), notes: [] };
}

function chosenTables(
  tables: readonly ScoreTable[],
  target: ScoreTarget,
  by: string | undefined,
  file: string,
): ScoreTable[] {
  const wanted = by ?? target.score;
  if (target.score !== null && by !== undefined && by !== target.score) {
    throw new LayerifError('badRequest', `--to ${target.id} is made of ${target.score}, not of ${by}`);
  }
  const found = wanted === null ? [...tables] : tables.filter(({ score }) => score === wanted);
  if (found.length === 0) {
    const ids = [...new Set(tables.map(({ score }) => score))].join(', ') || 'none';
    throw new LayerifError('badRequest', `${file} has no table of ${wanted ?? 'a score'}; its scores: ${ids}`);
  }
  if (target.several || found.length === 1) return found;
  // Of one score with other options the newest.
  if (wanted !== null) return [found.at(-1)!];
  const ids = [...new Set(found.map(({ score }) => score))].join(', ');
  throw new LayerifError(
    'badRequest',
    `${file} has ${found.length} tables and --to ${target.id} takes one: name a score with --by, one of ${ids}`,
  );
}
