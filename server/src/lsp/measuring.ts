/**
 * Layer scores beside a result, on request of the editor: one job at a time, with progress and cancel, in the engine of
 * the scores.
 */
import path from 'node:path';
import type { CancellationToken } from 'vscode-languageserver/node';
import type { MeasureScoresAnswer, MeasureScoresParams } from '../../../protocol/lsp.ts';
import { experimentNameOfResult } from '../run/files/results.ts';
import { noisyRun } from '../run/influence/noisyRun.ts';
import { experimentFileOf, measureScores as measure } from '../run/scores/measure.ts';
import type { Jobs } from './jobs.ts';

export async function measureScores(
  jobs: Jobs,
  { resultFile, scores }: MeasureScoresParams,
  token: CancellationToken,
): Promise<MeasureScoresAnswer> {
  const title = `Measuring ${scores?.map(({ id }) => id).join(', ') ?? 'scores'} for ${experimentNameOfResult(resultFile)}`;
  const { value, error } = await jobs.alone(resultFile, title, token, async (tools) => {
    const { machine, engine, signal, onProgress } = tools;
    const changing = noisyRun({ ...tools, file: experimentFileOf(resultFile) }, path.dirname(resultFile));
    return measure({ resultFile, scores, run: { machine, engine }, noisyRun: changing, signal, onProgress });
  });
  return { scoresFile: value?.scoresFile ?? null, error };
}
