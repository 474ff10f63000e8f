/**
 * A slice of a dataset as plain texts, for calibration and perplexity: the column `text`, else what the first task over
 * the dataset makes of a row (`doc_to_text`, and the gold answer where there is one).
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Experiment } from '../../../protocol/experiment.ts';
import { exampleOf } from './context.ts';
import { listed } from '../text/listed.ts';
import { openDataset, placeOf, readSlice } from './splits.ts';
import type { Row } from './types.ts';
import { datasetNamed } from './datasetNamed.ts';

export interface PlainText {
  text: string;
  row: Row;
}

export interface PlainTexts {
  texts: PlainText[];
  /** Absolute paths of the dataset's files. */
  files: string[];
}

/** @throws LayerifError `badData` with dataset, or file and row: no such dataset or split, no text in a row */
export async function readPlainTexts(
  { datasets, tasks }: Pick<Experiment, 'datasets' | 'tasks'>,
  source: { dataset: string; split: string },
  baseDir: string,
): Promise<PlainTexts> {
  const dataset = await openDataset(source.dataset, datasetNamed(datasets, source.dataset), baseDir);
  const task = tasks.find((t) => t.dataset === source.dataset && t.doc_to_text !== undefined);
  const textOf = (row: Row): string => {
    const { text } = row.values;
    if (typeof text === 'string') return text;
    if (task) {
      const { prompt, answer } = exampleOf(task, row);
      return prompt + answer;
    }
    throw new LayerifError(
      'badData',
      `row ${row.row} of dataset "${source.dataset}" has no column "text", and no task over it has a doc_to_text; name the column with field_mapping: { text: COLUMN }; columns: ${listed(dataset.columns)}`,
      { place: placeOf(row) },
    );
  };
  const rows = await readSlice(dataset, source.split);
  return { texts: rows.map((row) => ({ text: textOf(row), row })), files: dataset.files };
}
