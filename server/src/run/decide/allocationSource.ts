/**
 * What an allocation, a sparsity map or a choice of layers is made from: a result with its scores, or a file of scores
 * alone.
 */
import type { Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Result } from '../../../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { readFileOf } from '../files/readFile.ts';
import { readResult } from '../files/results.ts';

export interface AllocationSource {
  /** Absolute. */
  file: string;
  experiment: Experiment;
  experimentFile: string;
  model: { name: string; layers: number; sha256: string; revision?: string | undefined };
  /** Null for scores alone, which hold no influence. */
  result: Result | null;
}

/** @throws LayerifError `badRequest`: damaged, or scores whose experiment is gone */
export function allocationSource(file: string): AllocationSource {
  if (!file.endsWith(SCORES_SUFFIX)) {
    const result = readResult(file);
    const { experiment, experimentFile, model } = result;
    return { file, experiment, experimentFile, model, result };
  }
  const { experimentFile, model } = readFileOf('scores', file);
  try {
    return { file, experiment: loadExperiment(experimentFile), experimentFile, model, result: null };
  } catch (error) {
    throw new LayerifError(
      'badRequest',
      `${file} was made from ${experimentFile}, which cannot be read any more (${(error as Error).message}): put it back, or score again`,
      { cause: error },
    );
  }
}
