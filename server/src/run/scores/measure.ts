/** Scores beside a result, or in a file of scores, for the editor: those that are named, or those of the experiment. */
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult } from '../files/results.ts';
import { scoresOfResult } from './scores.ts';
import type { ComputedScores, MeasureOptions } from './scores.ts';

/** Of a result, or of a file of scores that stands alone. */
export function experimentFileOf(file: string): string {
  return file.endsWith(SCORES_SUFFIX) ? readFileOf('scores', file).experimentFile : readResult(file).experimentFile;
}

/** @throws LayerifError as `computeScores`; `badRequest` where none is named and the file declares none */
export async function measureScores({
  scores,
  ...options
}: Omit<MeasureOptions, 'asked'> & { scores: readonly AskedScore[] | undefined }): Promise<ComputedScores> {
  const experimentFile = experimentFileOf(options.resultFile);
  const asked = scores ?? loadExperiment(experimentFile).scores ?? [];
  if (asked.length === 0) {
    throw new LayerifError('badRequest', `${experimentFile} declares no scores: name some under the key scores`);
  }
  return scoresOfResult({ ...options, asked });
}
