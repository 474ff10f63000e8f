/**
 * The texts of scored rows, for the tables of a result: read again from the dataset, by the row numbers in the result
 * file.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Task } from '../../../../protocol/experiment.ts';
import type { SampleTextAnswer } from '../../../../protocol/lsp.ts';
import { sideWords } from '../../../../protocol/samples.ts';
import type { Result, SampleRow } from '../../../../protocol/result.ts';
import { hashFiles } from '../../checkpoints/hashFiles.ts';
import { exampleOf, shownTask } from '../../data/context.ts';
import { answerOf, choicesOf } from '../../data/examples.ts';
import { columnsOf, formatOf, readRows } from '../../data/formats.ts';
import { asRead } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { readResult } from '../files/results.ts';
import { nth } from '../../lists/nth.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';

/** The rows of a side of a task, as recorded; `task` as it was scored. */
interface Recorded {
  result: Result;
  task: Task;
  rows: readonly SampleRow[];
  baseDir: string;
}

/**
 * Prompt and answer as they were scored, without the few-shot examples that all samples share. A text is null when the
 * file is gone or is no longer the one that was scored.
 *
 * @param samples indices into the rows of that side of the task
 * @throws LayerifError `badRequest` for an unknown task or index, or an unreadable result
 */
export async function sampleTexts(
  resultFile: string,
  taskName: string,
  split: 'train' | 'validation',
  samples: readonly number[],
): Promise<SampleTextAnswer['samples']> {
  const recorded = recordedRows(resultFile, taskName, split, samples);
  const { result, task, rows, baseDir } = recorded;
  const alone: Task = { ...task, num_fewshot: 0, description: undefined };
  const mapping = datasetNamed(result.experiment.datasets, task.dataset).field_mapping ?? {};
  const texts = new Map<number, string>();
  for await (const { indices, row, columns } of readAgain(recorded, samples)) {
    const text = shownText(alone, asRead(row, columns, mapping));
    for (const index of indices) texts.set(index, text);
  }
  return samples.map((index) => ({
    index,
    text: texts.get(index) ?? null,
    file: path.resolve(baseDir, nth(rows, index).file),
    line: nth(rows, index).line,
  }));
}

/**
 * The rows with the columns of their files; one is left out when its file is gone, or no longer the one that was
 * scored.
 * @throws as above
 */
export async function sampleRows(
  resultFile: string,
  taskName: string,
  split: 'train' | 'validation',
  samples: readonly number[],
): Promise<Map<number, Row>> {
  const found = new Map<number, Row>();
  for await (const { indices, row } of readAgain(recordedRows(resultFile, taskName, split, samples), samples))
    for (const index of indices) found.set(index, row);
  return found;
}

function recordedRows(
  resultFile: string,
  taskName: string,
  split: 'train' | 'validation',
  samples: readonly number[],
): Recorded {
  const result = readResult(resultFile);
  const rows = result.tasks.find(({ task }) => task === taskName)?.[split].rows;
  const task = result.experiment.tasks.find(({ task }) => task === taskName);
  if (!rows || !task) {
    const known = result.tasks.map((t) => t.task).join(', ');
    throw new LayerifError('badRequest', `${resultFile} has no task "${taskName}"; its tasks are ${known}`);
  }
  const unknown = samples.find((index) => !Object.hasOwn(rows, index));
  if (unknown !== undefined) {
    throw new LayerifError(
      'badRequest',
      `task "${taskName}" has ${rows.length} ${sideWords[split]} samples, there is no sample ${unknown}`,
    );
  }
  return { result, task, rows, baseDir: experimentFolder(result, resultFile) };
}

/** Rows of the samples' files; `indices` are the samples that a row is. */
async function* readAgain(
  { result, task, rows, baseDir }: Recorded,
  samples: readonly number[],
): AsyncGenerator<{ indices: number[]; row: Row; columns: string[] }, void, undefined> {
  const dataset = datasetNamed(result.experiment.datasets, task.dataset);
  for (const recorded of new Set(samples.map((index) => nth(rows, index).file))) {
    const file = path.resolve(baseDir, recorded);
    const format = dataset.ds_type ?? formatOf(file);
    if (format === null || !fs.existsSync(file)) continue;
    if ((await hashFiles([file]))[0] !== result.provenance.dataSha256[recorded]) continue;
    const byRow = new Map<number, number[]>();
    for (const index of samples) {
      const { file: own, row } = nth(rows, index);
      if (own === recorded) byRow.set(row, [...(byRow.get(row) ?? []), index]);
    }
    const numbers = [...byRow.keys()];
    const first = numbers.reduce((a, b) => Math.min(a, b));
    const last = numbers.reduce((a, b) => Math.max(a, b));
    const source = { path: file, format, field: dataset.field };
    const columns = await columnsOf(source);
    for await (const row of readRows(source, first, last + 1)) {
      const indices = byRow.get(row.row);
      if (indices) yield { indices, row, columns };
    }
  }
}

/** A row without text, as an image has, is shown by the columns that fill the graph's inputs. */
function shownText(task: Task, row: Row): string {
  if (task.doc_to_text === undefined && task.inputs) {
    const cells = Object.values(task.inputs).map(({ column }) => row.values[column]);
    const known = cells.map((cell) => (typeof cell === 'string' ? cell : '(array)'));
    return [...known, ...(task.doc_to_target === undefined ? [] : [answerOf(task, row, choicesOf(task, row))])].join(
      ' ',
    );
  }
  const { prompt, answer } = exampleOf(shownTask(task), row);
  return prompt + answer;
}

/**
 * Where the experiment stands: as recorded, else found from the result's own place `output_dir/NAME/<run id>/`, when
 * the whole folder was moved or came from another machine.
 */
function experimentFolder(result: Result, resultFile: string): string {
  if (fs.existsSync(result.experimentFile)) return path.dirname(result.experimentFile);
  const output = path.resolve(path.dirname(resultFile), '..', '..');
  const relative = result.experiment.output_dir;
  if (path.isAbsolute(relative)) return path.dirname(result.experimentFile);
  const moved = path.resolve(output, path.relative(path.resolve('/', relative), '/'));
  return path.resolve(moved, relative) === output ? moved : path.dirname(result.experimentFile);
}
