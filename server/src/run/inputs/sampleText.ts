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
import { asRead } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { readResult } from '../files/results.ts';
import { rowsAt } from './dataRows.ts';
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
  const texts = new Map<number, ShownText>();
  for await (const { index, row, columns } of readAgain(recorded, samples))
    texts.set(index, shownText(alone, asRead(row, columns, mapping)));
  return samples.map((index) => ({
    index,
    text: texts.get(index)?.text ?? null,
    answer: texts.get(index)?.answer ?? null,
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
  for await (const { index, row } of readAgain(recordedRows(resultFile, taskName, split, samples), samples))
    found.set(index, row);
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

/** Rows of the samples whose files are those that were scored. */
async function* readAgain(
  { result, task, rows, baseDir }: Recorded,
  samples: readonly number[],
): AsyncGenerator<{ index: number; row: Row; columns: string[] }, void, undefined> {
  const { ds_type: format, field } = datasetNamed(result.experiment.datasets, task.dataset);
  const same = new Set<string>();
  for (const recorded of new Set(samples.map((index) => nth(rows, index).file))) {
    const file = path.resolve(baseDir, recorded);
    if (fs.existsSync(file) && (await hashFiles([file]))[0] === result.provenance.dataSha256[recorded])
      same.add(recorded);
  }
  const places = samples.flatMap((index) => {
    const { file, row } = nth(rows, index);
    return same.has(file) ? [{ index, file: path.resolve(baseDir, file), row }] : [];
  });
  yield* rowsAt(places, { format, field });
}

interface ShownText {
  text: string;
  answer: string | null;
}

/** A row without text, as an image has, is shown by the columns that fill the graph's inputs. */
function shownText(task: Task, row: Row): ShownText {
  if (task.doc_to_text === undefined && task.inputs) {
    const cells = Object.values(task.inputs).map(({ column }) => row.values[column]);
    const known = cells.map((cell) => (typeof cell === 'string' ? cell : '(array)'));
    const answer = task.doc_to_target === undefined ? null : String(answerOf(task, row, choicesOf(task, row)));
    return { text: [...known, ...(answer === null ? [] : [answer])].join(' '), answer };
  }
  const { prompt, answer } = exampleOf(shownTask(task), row);
  return { text: prompt + answer, answer: task.output_type === 'loglikelihood_rolling' ? null : answer };
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
