/**
 * Influence of each training sample by layer, with which samples are known to be mislabelled: of the result beside
 * which scores stand, where a column tells, or of a run of its own with changed labels.
 */
import { createHash } from 'node:crypto';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { LabelNoise } from '../../../../protocol/experiment.ts';
import type { Result } from '../../../../protocol/result.ts';
import { noisyRows } from '../../data/labelNoise.ts';
import { compileField, fieldText, looksLikeColumn, noSuchColumn } from '../../data/templates.ts';
import type { AskedInfluence, SampleInfluence } from '../../scores/types.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { openDataset, readSlice } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { readResult } from '../files/results.ts';
import type { ExperimentFile } from '../inputs/openExperiment.ts';
import { sampleRows } from '../inputs/sampleText.ts';

/** Scores influence of an experiment with changed labels. @returns the result file */
export type NoisyRun = (noise: LabelNoise, task: string | null) => Promise<string>;

export interface FoundInfluence {
  influence: SampleInfluence;
  /** Tells whether a table was made of the same. */
  id: string;
  words: string;
}

const YES = /^(true|yes|1|1\.0|noisy|wrong|mislabell?ed)$/i;

/**
 * @param resultFile of the influence beside which the scores stand
 * @throws LayerifError `badRequest` without a complete result, or without what tells mislabelled samples; `badData`
 */
export async function sampleInfluence(
  asked: AskedInfluence,
  resultFile: string,
  noisyRun: NoisyRun | undefined,
): Promise<FoundInfluence> {
  const { noise, task } = asked;
  if (noise && !noisyRun) {
    throw new LayerifError(
      'badRequest',
      'changed labels need an influence run of their own: layerif score FILE --only scores does it',
    );
  }
  const file = noise ? await noisyRun!(noise, task === '' ? null : task) : resultFile;
  const result = completeResult(file);
  const found = taskNamed(result.tasks, task);
  const count = found.train.rows.length;
  const rows = noise ? noisyRows(count, noise) : await markedRows(asked, file, found.task, count);
  requireBoth(asked, found.task, rows.length, count);
  const chosen = new Set(rows);
  const noisy = Array.from({ length: count }, (_, i) => chosen.has(i));
  const { estimator } = result.score;
  return {
    influence: { values: found.influence, layers: found.layers.map(({ index }) => index), noisy, estimator },
    id: createHash('sha256')
      .update(JSON.stringify([found.task, estimator, noisy, found.influence]))
      .digest('hex')
      .slice(0, 16),
    words: `training samples of ${found.task}: ${count}, ${rows.length} ${noise ? 'with changed labels' : 'marked as mislabelled'}`,
  };
}

/**
 * What is known before the influence is there.
 * @throws LayerifError as `sampleInfluence`
 */
export async function foreseenInfluence(
  asked: AskedInfluence,
  { experiment: { tasks, datasets, scores_alone }, baseDir }: ExperimentFile,
): Promise<void> {
  if (!asked.noise && scores_alone === true) throw noInfluence();
  const task = taskNamed(tasks, asked.task);
  if (asked.noise) return;
  const dataset = await openDataset(task.dataset, datasetNamed(datasets, task.dataset), baseDir);
  const rows = await readSlice(dataset, task.training_split);
  requireBoth(asked, task.task, marked(asked, rows.entries()).length, rows.length);
}

function taskNamed<T extends { task: string }>(tasks: readonly T[], name: string): T {
  const found = name === '' ? tasks[0] : tasks.find(({ task }) => task === name);
  if (found) return found;
  const known = tasks.map(({ task }) => task).join(', ');
  throw new LayerifError('badRequest', `there is no influence for a task "${name}"; tasks: ${known}`);
}

function requireBoth({ noisy }: AskedInfluence, task: string, found: number, count: number): void {
  if (found > 0 && found < count) return;
  throw new LayerifError(
    'badRequest',
    `${found === 0 ? 'none' : 'all'} of the ${count} training samples of task ${task} are mislabelled (${noisy || 'column noisy'}): samples of both kinds are needed; name a column that marks some, or change labels with flips`,
  );
}

function completeResult(file: string): Result {
  let result: Result | null = null;
  try {
    result = readResult(file);
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
  }
  if (result?.status === 'complete') return result;
  throw noInfluence();
}

function noInfluence(): LayerifError {
  return new LayerifError(
    'badRequest',
    'there is no complete influence of training samples to look at: give the file a section score and run layerif score FILE, or change labels with flips',
  );
}

/** Indices of the samples that the column or template marks. */
async function markedRows(asked: AskedInfluence, file: string, task: string, count: number): Promise<number[]> {
  const rows = await sampleRows(
    file,
    task,
    'train',
    Array.from({ length: count }, (_, i) => i),
  );
  if (rows.size < count) {
    throw new LayerifError(
      'badRequest',
      `${count - rows.size} of the ${count} training samples of task ${task} are no longer in the files that were scored; score again`,
    );
  }
  return marked(asked, rows);
}

function marked({ noisy }: AskedInfluence, rows: Iterable<readonly [number, Row]>): number[] {
  const field = compileField('ndr', 'noisy', noisy === '' ? 'noisy' : noisy);
  return [...rows].flatMap(([index, row]) => {
    if (looksLikeColumn(field, row)) throw noSuchColumn(field, field.source, row);
    return YES.test(fieldText(field, row).trim()) ? [index] : [];
  });
}
