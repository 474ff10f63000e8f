/** Influence of the training samples of a result, one number a row over the layers, and where the rows stand. */
import path from 'node:path';
import fs from 'node:fs';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { ScoredRows } from '../../../../protocol/scores.ts';
import { crossLayerRules } from '../../estimators/crossLayer.ts';
import type { RowInfluence } from '../../scores/dataTypes.ts';
import { dataHashes } from '../files/provenance.ts';
import { readResult } from '../files/results.ts';
import { entry } from '../../lists/entry.ts';

/** Share of the rows that is voted against in each layer, as in `layerif rows` and `layerif compare`. */
const VOTED = 0.3;

export interface InfluencedRows {
  task: ResultTask;
  influence: RowInfluence;
  rows: ScoredRows;
  /** Hash of what decides the numbers. */
  id: string;
}

/**
 * @param taskName '' for the first task
 * @throws LayerifError `badRequest`: no complete result, no such task; `badData` where the data are other ones by now
 */
export async function influencedRows(resultFile: string, taskName: string, baseDir: string): Promise<InfluencedRows> {
  if (!fs.existsSync(resultFile)) {
    throw new LayerifError(
      'badRequest',
      `influence as a score of rows comes from the result beside it, and there is none: add a section score to the experiment (score: {}) and run layerif score`,
    );
  }
  const result = readResult(resultFile);
  if (result.status !== 'complete')
    throw new LayerifError('badRequest', `${resultFile} is partial: run layerif score again to complete it`);
  const task = taskName === '' ? result.tasks[0] : result.tasks.find((one) => one.task === taskName);
  const settings = result.experiment.tasks.find((one) => one.task === task?.task);
  if (!task || !settings) {
    const known = result.tasks.map((one) => one.task).join(', ');
    throw new LayerifError('badRequest', `${resultFile} has no task "${taskName}"; its tasks: ${known}`);
  }
  const files = [...new Set(task.train.rows.map(({ file }) => file))];
  await requireSameData(result, files, baseDir);
  const layers = task.influence.map((values) => Float64Array.from(values));
  const n = task.train.samples;
  const of = (rule: keyof RowInfluence) =>
    crossLayerRules[rule].aggregate({ n, m: 1, layers }, { k: Math.ceil(VOTED * n) });
  const { dataSha256, date } = result.provenance;
  return {
    task,
    influence: { mean: of('mean'), rank: of('rank'), vote: of('vote') },
    rows: {
      dataset: settings.dataset,
      split: settings.training_split,
      task: task.task,
      files,
      file: task.train.rows.map(({ file }) => files.indexOf(file)),
      row: task.train.rows.map(({ row }) => row),
      line: task.train.rows.map(({ line }) => line),
      sha256: Object.fromEntries(files.map((file) => [file, entry(dataSha256, file)])),
      tokenizer: null,
    },
    id: JSON.stringify([date, task.task, n]),
  };
}

/** What is known before the influence is there. @throws LayerifError `badRequest` */
export function foreseenRowInfluence({ tasks }: Experiment, taskName: string): void {
  if (taskName === '' || tasks.some(({ task }) => task === taskName)) return;
  const known = tasks.map(({ task }) => task).join(', ');
  throw new LayerifError('badRequest', `there is no influence for a task "${taskName}"; tasks: ${known}`);
}

async function requireSameData(result: Result, files: readonly string[], baseDir: string): Promise<void> {
  for (const file of files) {
    const absolute = path.resolve(baseDir, file);
    const now = fs.existsSync(absolute) ? (await dataHashes([absolute], baseDir))[file] : null;
    if (now === result.provenance.dataSha256[file]) continue;
    throw new LayerifError(
      'badData',
      `${file} ${now === null ? 'is gone' : 'was changed'} since its influence was computed: run layerif score again, or bring the file back`,
    );
  }
}
