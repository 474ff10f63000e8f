/** Scores beside a result for the editor: those that are named, or those of the experiment file. */
import type { AskedScore } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { readResult } from '../files/results.ts';
import { scoresOfResult } from './scores.ts';
import type { ComputedScores, MeasureOptions } from './scores.ts';

/** @throws LayerifError as `computeScores`; `badRequest` where none is named and the file declares none */
export async function measureScores({
  scores,
  ...options
}: Omit<MeasureOptions, 'asked'> & { scores: readonly AskedScore[] | undefined }): Promise<ComputedScores> {
  const { experimentFile } = readResult(options.resultFile);
  const asked = scores ?? loadExperiment(experimentFile).scores ?? [];
  if (asked.length === 0) {
    throw new LayerifError('badRequest', `${experimentFile} declares no scores: name some under the key scores`);
  }
  return scoresOfResult({ ...options, asked });
}
