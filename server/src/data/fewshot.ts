/**
 * Which solved examples stand before a row, as in lm-evaluation-harness: drawn at random with its seed, or the first
 * ones. The random draws of a slice follow each other, row by row, so rows are asked in order, each once.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Task } from '../../../protocol/experiment.ts';
import { PythonRandom } from '../random/pythonRandom.ts';
import type { OpenDataset } from './dataset.ts';
import { pythonText } from './jinja/text.ts';
import { placeOf, readSlice } from './splits.ts';
import type { Row } from './types.ts';
import { nth } from '../lists/nth.ts';

/** The harness' `fewshot_random_seed`. */
export const FEWSHOT_SEED = 1234;

/** The examples of a row. @throws LayerifError `badData` with file and row where there are too few */
export type Fewshot = (row: Row) => readonly Row[];

export const noFewshot: Fewshot = () => [];

/** Where the examples of a task are drawn from, in the experiment's words. */
export function fewshotSplit(task: Task, training = task.training_split): string {
  return task.fewshot_config?.split ?? task.fewshot_split ?? task.fewshot_config?.pool ?? training;
}

/** Rows to draw from: those of the split, or the samples that the task itself holds. */
export async function fewshotPool(task: Task, dataset: OpenDataset, training?: string): Promise<Row[]> {
  if (task.num_fewshot === 0) return [];
  return ownSamples(task) ?? readSlice(dataset, fewshotSplit(task, training));
}

/** Samples of `fewshot_config`, which stand in no file of data; null without them. */
export function ownSamples(task: Task): Row[] | null {
  const config = task.fewshot_config;
  if (config?.samples === undefined || (config.split ?? task.fewshot_split) !== undefined) return null;
  return config.samples.map((values, row) => ({
    values,
    file: `${task.task}: fewshot_config.samples`,
    row,
    line: null,
  }));
}

/**
 * @param leaveOut whether the row itself is left out of its examples
 * @returns the draws of one slice; a new one for every slice
 */
export function fewshotOf(task: Task, pool: readonly Row[], leaveOut: boolean): Fewshot {
  const count = task.num_fewshot;
  if (count === 0) return noFewshot;
  const key = new Map<Row, string>();
  const same = (row: Row, other: Row): boolean => keyOf(row, key) === keyOf(other, key);
  const random = new PythonRandom(FEWSHOT_SEED);
  const first = task.fewshot_config?.sampler === 'first_n';
  return (row) => {
    const others = (rows: readonly Row[]): Row[] => (leaveOut ? rows.filter((other) => !same(row, other)) : [...rows]);
    const drawn = (rows: readonly Row[], size: number): Row[] =>
      random.sample(rows.length, size).map((i) => nth(rows, i));
    const enough = (rows: Row[]): Row[] => {
      if (rows.length >= count) return rows;
      throw new LayerifError(
        'badData',
        `task "${task.task}": num_fewshot is ${count}, and ${ownSamples(task) ? 'fewshot_config.samples' : fewshotSplit(task)} has only ${rows.length} rows besides row ${row.row}`,
        { place: placeOf(row) },
      );
    };
    if (first) return enough(others(pool)).slice(0, count);
    if (!leaveOut) return drawn(enough([...pool]), count);
    // One more is drawn, in case the row itself is among them; with doubles, again from the rest.
    if (pool.length > count) {
      const examples = others(drawn(pool, count + 1)).slice(0, count);
      if (examples.length === count) return examples;
    }
    return drawn(enough(others(pool)), count);
  };
}

/** For scoring: a row that is among the rows to draw from is no example for itself. */
export function fewshotForRows(task: Task, pool: readonly Row[], rows: readonly Row[]): Fewshot {
  const place = ({ file, row }: Row): string => `${row}:${file}`;
  const places = new Set(pool.map(place));
  return fewshotOf(
    task,
    pool,
    rows.some((row) => places.has(place(row))),
  );
}

/** For evaluation the harness' rule: a document is left out where examples come from the split that is evaluated. */
export function fewshotForEvaluation(task: Task, pool: readonly Row[]): Fewshot {
  return fewshotOf(task, pool, (task.fewshot_config?.split ?? task.fewshot_split) === task.test_split);
}

/** Documents with the same values are the same. */
function keyOf(row: Row, known: Map<Row, string>): string {
  let key = known.get(row);
  if (key === undefined) known.set(row, (key = pythonText(row.values)));
  return key;
}
