/**
 * Everything that an experiment file declares, in one run: influence, then the scores beside it. Where influence is
 * complete already, the run is opened again and only the scores that are missing are computed; a file with `scores` and
 * no `score` gets the scores alone.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { AskedScore, Experiment } from '../../../../protocol/experiment.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Result } from '../../../../protocol/result.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoresFile } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { optionValues, readOption } from '../../scores/options.ts';
import { findScore, scores as ownScores } from '../../scores/scores.ts';
import { makeFolder } from '../../files/writing.ts';
import { untilEnd } from '../files/ending.ts';
import { experimentName, runOfHash, newRunId, readResult, resultFiles } from '../files/results.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import { engineFor } from '../machine/enginePool.ts';
import { computeScores, scoresFileOf, scoresOfResult } from '../scores/scores.ts';
import type { ComputedScores, ScoresOptions } from '../scores/scores.ts';
import { scoreExperiment } from './score.ts';
import type { ScoreOptions } from './score.ts';

export interface RunOptions extends ScoreOptions {
  /** Only this part of what the file declares. */
  only?: 'influence' | 'scores' | undefined;
  /** Words of `--set`, such as `owl.multiple=7`. */
  set?: readonly string[] | undefined;
  /** Between the file and the end of each table. */
  onScores?: ((file: ScoresFile) => void) | undefined;
  /** Progress of the scores; influence tells its own by `onEvent`. */
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
}

export interface Ran {
  result: Result | null;
  resultFile: string | null;
  scores: ScoresFile | null;
  scoresFile: string | null;
  /** Whether influence was complete already. */
  reopened: boolean;
  passes: ComputedScores['passes'];
}

/** @throws LayerifError as `scoreExperiment` and `computeScores` */
export async function runExperiment(options: RunOptions): Promise<Ran> {
  const file = path.resolve(options.file);
  const experiment = loadExperiment(file);
  const asked = withSettings(experiment.scores ?? [], options.set ?? []);
  const alone = options.only === 'scores' || (experiment.scores_alone === true && options.only !== 'influence');
  if (alone && asked.length === 0) {
    throw new LayerifError(
      'badRequest',
      `${path.basename(file)} declares no scores: add a line such as  scores: [${ownScores.map(({ id }) => id).join(', ')}]`,
    );
  }
  const none = { scores: null, scoresFile: null, passes: [], reopened: false };
  const wanted = options.only === 'influence' ? [] : asked;
  if (wanted.length === 0) {
    const { result, resultFile, reopened } = await scoreExperiment(options);
    return { ...none, result, resultFile, reopened: reopened === true };
  }
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const shared: Pick<ScoresOptions, 'asked' | 'run' | 'onProgress' | 'onTable' | 'signal' | 'checkpointSeconds'> = {
      asked: wanted,
      run: { machine: options.machine, engine: pool },
      onProgress: options.onProgress,
      onTable: options.onScores,
      signal: options.signal,
      checkpointSeconds: options.checkpointSeconds,
    };
    if (alone) {
      const { place, modelSha256 } = await placeOf(file, experiment, options);
      const {
        file: scores,
        scoresFile,
        passes,
      } = await computeScores({
        ...shared,
        file,
        experiment,
        scoresFile: place,
        modelSha256,
      });
      return { ...none, result: null, resultFile: null, scores, scoresFile, passes };
    }
    const { result, resultFile, reopened } = await scoreExperiment({
      ...options,
      engine: pool,
      reopen: true,
      scores: wanted,
    });
    const { file: scores, scoresFile, passes } = await scoresOfResult({ ...shared, resultFile });
    return { result, resultFile, scores, scoresFile, passes, reopened: reopened === true };
  });
}

/**
 * Beside the newest result of this model where there is one, else in a folder of the scores' own, the same as the last
 * time.
 */
async function placeOf(
  file: string,
  experiment: Experiment,
  options: RunOptions,
): Promise<{ place: string; modelSha256: string }> {
  const read = experimentFor(experiment, file, 'score');
  const output = path.resolve(read.baseDir, options.outputDir ?? experiment.output_dir);
  const name = experimentName(file);
  const { checkpoint } = await openExperiment(read, { fetching: { signal: options.signal } });
  try {
    const modelSha256 = await checkpoint.sha256();
    if (experiment.scores_alone !== true) {
      const result = resultFiles(output, name).find((found) => {
        try {
          const { status, model } = readResult(found);
          return status === 'complete' && model.sha256 === modelSha256;
        } catch {
          return false; // an unreadable file is no result to stand beside
        }
      });
      if (result !== undefined) return { place: scoresFileOf(result), modelSha256 };
    }
    const hash = createHash('sha256')
      .update(JSON.stringify(['scores', modelSha256, experiment.model, checkpoint.config]))
      .digest('hex');
    const known = runOfHash(output, name, hash, SCORES_SUFFIX);
    if (known) return { place: known.resultFile, modelSha256 };
    const folder = path.join(output, name, newRunId(hash, new Date()));
    makeFolder(folder);
    return { place: path.join(folder, `${name}${SCORES_SUFFIX}`), modelSha256 };
  } finally {
    checkpoint.close();
  }
}

/**
 * @param words `<score>.<option>=<value>`, of scores that are asked for
 * @throws LayerifError `badRequest`
 */
export function withSettings(asked: readonly AskedScore[], words: readonly string[]): AskedScore[] {
  const changed = asked.map((one) => ({ ...one, options: { ...one.options } }));
  for (const word of words) {
    const [, id, name, text] = /^([^.=]+)\.([^.=]+)=(.*)$/.exec(word) ?? [];
    if (id === undefined) {
      throw new LayerifError(
        'badRequest',
        `--set "${word}" is not of the form SCORE.OPTION=VALUE, such as owl.multiple=7`,
      );
    }
    const score = findScore(id);
    const own = changed.filter((one) => one.id === id);
    if (own.length === 0) {
      const declared = asked.map((one) => one.id).join(', ') || 'none';
      throw new LayerifError(
        'badRequest',
        `--set ${word}: the experiment does not ask for ${id}; its scores: ${declared}`,
      );
    }
    const row = score.options[name];
    const value = row ? readOption(row, text) : text;
    optionValues(score, { [name]: value });
    for (const one of own) one.options[name] = value as AskedScore['options'][string];
  }
  return changed;
}
