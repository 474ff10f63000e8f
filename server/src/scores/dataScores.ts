/**
 * The scores of rows that there are. To add one: a file like `rowBaselines.ts` and a row here; schema, command line,
 * list, report, page and documentation follow from it.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import { bm25 } from './bm25.ts';
import type { DataScore } from './dataTypes.ts';
import { diversity } from './diversity.ts';
import { ifdLoss, ifdPpl } from './ifd.ts';
import { mastery } from './mastery.ts';
import { preExperience } from './preExperience.ts';
import { randomOrder, rowLength, rowLoss } from './rowBaselines.ts';
import { influence, influenceRank, influenceVote } from './rowInfluence.ts';
import { similarity } from './similarity.ts';
import { tokenMask } from './tokenMask.ts';

export const dataScores: readonly DataScore[] = [
  ifdPpl,
  ifdLoss,
  tokenMask,
  mastery,
  influence,
  influenceRank,
  influenceVote,
  similarity,
  bm25,
  diversity,
  preExperience,
  rowLoss,
  rowLength,
  randomOrder,
];

/** @throws LayerifError `badRequest` */
export function findDataScore(id: string): DataScore {
  const found = dataScores.find((score) => score.id === id);
  if (found) return found;
  const known = dataScores.map((score) => score.id).join(', ');
  throw new LayerifError('badRequest', `there is no score of rows "${id}": use one of ${known}`);
}

export const isDataScore = (id: string): boolean => dataScores.some((score) => score.id === id);
