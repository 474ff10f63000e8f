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
import { dataScores, findDataScore, isDataScore } from '../../scores/dataScores.ts';
import { findScore, scores as ownScores } from '../../scores/scores.ts';
import type { OptionRows } from '../../scores/types.ts';
import { makeFolder } from '../../files/writing.ts';
import { untilEnd } from '../files/ending.ts';
import { experimentName, runOfHash, newRunId, readResult, resultFiles } from '../files/results.ts';
import { experimentFor, openExperiment } from '../inputs/openExperiment.ts';
import { engineFor } from '../machine/enginePool.ts';
import { computeDataScores } from '../scores/dataScores.ts';
import { computeScores, scoresOfResult } from '../scores/scores.ts';
import { scoresFileOf } from '../scores/scoresFile.ts';
import { noisyRun } from './noisyRun.ts';
import type { ComputedScores, ScoresOptions } from '../scores/scores.ts';
import { scoreExperiment } from './score.ts';
import type { ScoreOptions } from './score.ts';
import { nth } from '../../lists/nth.ts';

/** What a file declares, by the words of `--only`. */
export const parts = ['influence', 'scores', 'data_scores'] as const;
export type Part = (typeof parts)[number];

export interface RunOptions extends ScoreOptions {
  /** Only this part of what the file declares. */
  only?: Part | undefined;
  /** In place of the layer scores that the file declares; one without options is as the file declares it. */
  asked?: readonly AskedScore[] | undefined;
  /** Words of `--set`, such as `owl.multiple=7`. */
  set?: readonly string[] | undefined;
  /** Rows whose texts are in memory at a time. */
  rowsPerChunk?: number | undefined;
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
  const loaded = loadExperiment(file);
  const experiment = options.asked ? { ...loaded, scores: asDeclared(options.asked, loaded.scores ?? []) } : loaded;
  const { scores: asked, data: askedData } = settingsOf(experiment, options.set ?? []);
  const { only } = options;
  const alone = (only ?? 'influence') !== 'influence' || (experiment.scores_alone === true && only !== 'influence');
  if (
    alone &&
    (only === 'data_scores' ? askedData : only === 'scores' ? asked : [...asked, ...askedData]).length === 0
  ) {
    const [key, ids] = only === 'data_scores' ? [only, dataScores] : ['scores', ownScores];
    throw new LayerifError(
      'badRequest',
      `${path.basename(file)} declares no ${key}: add a line such as  ${key}: [${ids.map(({ id }) => id).join(', ')}]`,
    );
  }
  const none = { scores: null, scoresFile: null, passes: [], reopened: false };
  const wanted = only === 'influence' || only === 'data_scores' ? [] : asked;
  const wantedRows = only === 'influence' || only === 'scores' ? [] : askedData;
  if (wanted.length + wantedRows.length === 0) {
    const { result, resultFile, reopened } = await scoreExperiment(options);
    return { ...none, result, resultFile, reopened: reopened === true };
  }
  return untilEnd(options.signal, async (onEnd) => {
    const pool = engineFor(options.engine, onEnd);
    const shared: Pick<ScoresOptions, 'run' | 'onProgress' | 'onTable' | 'signal' | 'checkpointSeconds'> = {
      run: { machine: options.machine, engine: pool },
      onProgress: options.onProgress,
      onTable: options.onScores,
      signal: options.signal,
      checkpointSeconds: options.checkpointSeconds,
    };
    /** Scores of layers, then those of rows, in one file. */
    const inOneFile = async (
      scoresFile: string,
      modelSha256: string,
      ofLayers: () => Promise<ComputedScores>,
    ): Promise<Pick<ComputedScores, 'passes'> & { scores: ScoresFile; scoresFile: string }> => {
      const computed = wanted.length > 0 ? await ofLayers() : null;
      if (wantedRows.length === 0) return { ...computed!, scores: computed!.file };
      const { rowsPerChunk } = options;
      const ofRows = await computeDataScores({
        ...shared,
        asked: wantedRows,
        file,
        experiment,
        scoresFile,
        modelSha256,
        rowsPerChunk,
      });
      return { scores: ofRows.file, scoresFile, passes: [...(computed?.passes ?? []), ...ofRows.passes] };
    };
    if (alone) {
      const { place: scoresFile, modelSha256 } = await placeOf(file, experiment, options);
      const ofLayers = () =>
        computeScores({
          ...{ ...shared, asked: wanted, file, experiment, scoresFile, modelSha256 },
          noisyRun: noisyRun({ ...options, engine: pool }, path.dirname(scoresFile)),
        });
      return { ...none, result: null, resultFile: null, ...(await inOneFile(scoresFile, modelSha256, ofLayers)) };
    }
    const { result, resultFile, reopened } = await scoreExperiment({
      ...options,
      engine: pool,
      reopen: true,
      scores: wanted,
    });
    const computed = await inOneFile(scoresFileOf(resultFile), result.model.sha256, () =>
      scoresOfResult({
        ...{ ...shared, asked: wanted, resultFile },
        noisyRun: noisyRun({ ...options, engine: pool }, path.dirname(resultFile)),
      }),
    );
    return { result, resultFile, ...computed, reopened: reopened === true };
  });
}

/** Each as the file declares it, of its task where one is named. */
function asDeclared(asked: readonly AskedScore[], declared: readonly AskedScore[]): AskedScore[] {
  return asked.flatMap((one) => {
    const own = declared.filter(({ id }) => id === one.id);
    if (own.length === 0 || Object.keys(one.options).length > 0) return [one];
    if (one.task === undefined) return own;
    const { id, options } = nth(own, 0);
    return [{ id, options, task: one.task }];
  });
}

/** Both lists with the words of `--set`, each of which is about one of them. */
function settingsOf(
  { scores = [], data_scores = [] }: Experiment,
  words: readonly string[],
): { scores: AskedScore[]; data: AskedScore[] } {
  const idOf = (word: string) => nth(word.split(/[.=]/), 0);
  const known = [...ownScores, ...dataScores].map(({ id }) => id);
  const unknown = words.map(idOf).find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw new LayerifError('badRequest', `there is no score "${unknown}": use one of ${known.join(', ')}`);
  const ofRows = (word: string) => isDataScore(idOf(word));
  return {
    scores: withSettings(
      scores,
      words.filter((word) => !ofRows(word)),
    ),
    data: withSettings(data_scores, words.filter(ofRows), findDataScore),
  };
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
export function withSettings(
  asked: readonly AskedScore[],
  words: readonly string[],
  find: (id: string) => { id: string; options: OptionRows } = findScore,
): AskedScore[] {
  const changed = asked.map((one) => ({ ...one, options: { ...one.options } }));
  for (const word of words) {
    const [, id, name, text] = /^([^.=]+)\.([^.=]+)=(.*)$/.exec(word) ?? [];
    if (id === undefined || name === undefined || text === undefined) {
      throw new LayerifError(
        'badRequest',
        `--set "${word}" is not of the form SCORE.OPTION=VALUE, such as owl.multiple=7`,
      );
    }
    const score = find(id);
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
