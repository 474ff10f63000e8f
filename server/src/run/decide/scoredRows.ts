/** Scores of rows as they lie on the disk, and the rows themselves: found again in their files, with their texts. */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Task } from '../../../../protocol/experiment.ts';
import { labelOf } from '../../../../protocol/rowSelection.ts';
import { SCORES_SUFFIX } from '../../../../protocol/scores.ts';
import type { ScoredRows, ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { loadExperiment } from '../../config/experiment.ts';
import { exampleOf, shownTask } from '../../data/context.ts';
import { withGivenAnswer } from '../../data/examples.ts';
import { asRead } from '../../data/splits.ts';
import { nth } from '../../lists/nth.ts';
import { listed } from '../../text/listed.ts';
import { didYouMean } from '../../text/nearest.ts';
import { dataHashes } from '../files/provenance.ts';
import { readFileOf } from '../files/readFile.ts';
import { experimentName, resultFiles } from '../files/results.ts';
import { rowsAt } from '../inputs/dataRows.ts';
import type { FileKind } from '../inputs/dataRows.ts';

export type TableOfRows = ScoreTable & { rows: ScoredRows };

export interface RowsSource {
  /** Folder of the experiment. */
  baseDir: string;
  kind: FileKind;
  /** New name -> column. */
  mapping: Record<string, string>;
  task: Task | null;
}

/** @param file experiment, or file of scores @param outputDir of the experiment, where runs lie in another folder */
export function scoresOf(file: string, outputDir?: string): { scoresFile: string; scores: ScoresFile } {
  const absolute = path.resolve(file);
  if (absolute.endsWith(SCORES_SUFFIX)) return { scoresFile: absolute, scores: readFileOf('scores', absolute) };
  const experiment = loadExperiment(absolute);
  const output = path.resolve(path.dirname(absolute), outputDir ?? experiment.output_dir);
  for (const scoresFile of resultFiles(output, experimentName(absolute), SCORES_SUFFIX)) {
    const scores = readFileOf('scores', scoresFile);
    if (scores.tables.some(({ rows }) => rows)) return { scoresFile, scores };
  }
  throw new LayerifError(
    'badRequest',
    `${path.basename(absolute)} has no scores of rows yet: name some under data_scores and run layerif score ${path.basename(absolute)}`,
  );
}

/** @param by id of the score, or its label beside others of its kind */
export function tableOf({ tables }: ScoresFile, by: string, scoresFile: string): TableOfRows {
  const ofRows = tables.filter((one): one is TableOfRows => one.rows !== undefined);
  const table = ofRows.findLast((one) => one.score === by || labelOf(one, ofRows) === by);
  if (table) return table;
  const known = [...new Set(ofRows.map((one) => labelOf(one, ofRows)))];
  throw new LayerifError(
    'badRequest',
    known.length === 0
      ? `${path.basename(scoresFile)} holds no scores of rows: name some under data_scores`
      : `${path.basename(scoresFile)} has no score of rows "${by}": use one of ${listed(known)}${didYouMean(by, known)}`,
  );
}

/** @throws LayerifError `badData` for a file that is not as it was when its rows were scored */
export async function requireSameData({ rows, score }: TableOfRows, { experimentFile }: ScoresFile): Promise<void> {
  const baseDir = path.dirname(experimentFile);
  for (const file of rows.files) {
    const absolute = path.resolve(baseDir, file);
    const now = fs.existsSync(absolute) ? (await dataHashes([absolute], baseDir))[file] : null;
    if (now === rows.sha256[file]) continue;
    throw new LayerifError(
      'badData',
      `${file} ${now === null ? 'is gone' : 'was changed'} since ${score} was computed: run layerif score ${path.basename(experimentFile)} --only data_scores again, or bring the file back`,
    );
  }
}

/** What the experiment says of the rows: how their files are read, what columns are called, which task they are of. */
export function sourceOf({ experimentFile }: ScoresFile, { rows }: TableOfRows): RowsSource {
  const experiment = loadExperiment(experimentFile);
  const { field, ds_type: format, field_mapping: mapping = {} } = experiment.datasets[rows.dataset] ?? {};
  return {
    baseDir: path.dirname(experimentFile),
    kind: { field, format },
    mapping,
    task: experiment.tasks.find(({ task }) => task === rows.task) ?? null,
  };
}

/** Rows of the table with the columns of their files, in the order of the table within each. */
export async function* rowsOf(
  { rows: { files, file, row } }: TableOfRows,
  { baseDir, kind }: RowsSource,
  chosen: readonly number[],
) {
  const places = chosen.map((index) => ({
    index,
    file: path.resolve(baseDir, nth(files, nth(file, index))),
    row: nth(row, index),
  }));
  yield* rowsAt(places, kind);
}

/** Prompt and answer of a row, and its cells by the names that the experiment knows. */
export interface RowTexts {
  index: number;
  prompt: string;
  answer: string;
  values: Record<string, unknown>;
  /** Names of the cells. */
  names: string[];
}

/** Of the rows, without few-shot examples, which all of them share. */
export async function* textsOf(
  table: TableOfRows,
  source: RowsSource,
  chosen: readonly number[],
): AsyncGenerator<RowTexts, void, undefined> {
  const task = source.task && shownTask({ ...source.task, num_fewshot: 0 });
  for await (const { index, row, columns } of rowsOf(table, source, chosen)) {
    const read = asRead(row, columns, source.mapping);
    const { prompt, answer } = task
      ? exampleOf(task, withGivenAnswer(task, read))
      : { prompt: '', answer: String(read.values.text) };
    yield { index, prompt, answer, values: read.values, names: [...columns, ...Object.keys(source.mapping)] };
  }
}
