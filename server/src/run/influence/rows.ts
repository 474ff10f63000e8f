/**
 * The training rows of a result in the order of their influence, over one layer or all of them, and a dataset without
 * some of them.
 *
 * Layers differ in scale, so that the sum over layers is ruled by a few. The rows are therefore ordered by their mean
 * rank over layers, unless asked otherwise; each layer ranks them by their influence on all validation rows together
 * (`estimators/crossLayer.ts`).
 */
import path from 'node:path';
import { Readable } from 'node:stream';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import type { WrittenRows } from '../../../../protocol/rowSelection.ts';
import type { LayerRule, ListedRow, RowList, RowOrder } from '../../../../protocol/rows.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { formatOf } from '../../data/formats.ts';
import { cellsOf, writers, writtenFormat } from '../../data/writers.ts';
import { crossLayerRules } from '../../estimators/crossLayer.ts';
import { freeName, previewOf, requireNew, writeRows } from '../inputs/dataRows.ts';
import { sampleRows, sampleTexts } from '../inputs/sampleText.ts';
import { readResult } from '../files/results.ts';
import { chosenTasks } from './rescore.ts';
import { nth } from '../../lists/nth.ts';

/**
 * Of the votes against the lowest rows: share of the rows that are voted against in each layer, as in `layerif
 * compare`.
 */
const VOTED = 0.3;

export interface RowsOptions {
  /** Default: the only task. */
  task?: string | undefined;
  /** Default: all scored layers. */
  layer?: number | undefined;
  by?: RowOrder | undefined;
  over?: LayerRule | undefined;
  top?: number | undefined;
  /** Whether prompt and answer are read again from the data. */
  texts?: boolean | undefined;
}

/** @throws LayerifError `badRequest`: no complete result, no such task or layer */
export async function listRows(resultFile: string, options: RowsOptions = {}): Promise<RowList> {
  const result = readResult(resultFile);
  if (result.status !== 'complete')
    throw new LayerifError('badRequest', `${resultFile} is partial: run layerif score again to complete it`);
  const task = taskOf(result, resultFile, options.task);
  const list = orderedRows(result, resultFile, task, options);
  if (!options.texts) return list;
  const found = await sampleTexts(
    resultFile,
    task.task,
    'train',
    list.rows.map(({ sample }) => sample),
  );
  const rows = list.rows.map((row, i) => ({ ...row, text: nth(found, i).text }));
  const lost = rows.filter(({ text }) => text === null).length;
  return { ...list, rows, notes: [...list.notes, ...(lost > 0 ? [lostNote(lost, rows.length)] : [])] };
}

/** Pure: the list without texts. @throws LayerifError `badRequest` for a layer that was not scored */
export function orderedRows(
  result: Pick<Result, 'experiment'>,
  resultFile: string,
  task: ResultTask,
  { layer, by = 'harmful', over = 'rank', top = 10 }: RowsOptions,
): RowList {
  const chosen = layersOf(task, layer);
  const influence = chosen.map((l) => nth(task.influence, l));
  const n = task.train.samples;
  const values = by === 'loss' ? Float64Array.from(task.train.loss) : combined(influence, n, over);
  const sign = by === 'harmful' ? 1 : -1;
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => sign * (nth(values, i) - nth(values, j)) || i - j,
  );
  const rows = order.slice(0, top).map((sample): ListedRow => {
    const { file, row, line, tokens, truncated } = nth(task.train.rows, sample);
    const own = influence.map((layerInfluence) => nth(layerInfluence, sample));
    return {
      sample,
      file,
      row,
      line,
      value: nth(values, sample),
      influence: own.reduce((sum, value) => sum + value, 0),
      helps: own.filter((value) => value > 0).length,
      harms: own.filter((value) => value < 0).length,
      loss: nth(task.train.loss, sample),
      tokens,
      truncated,
      text: null,
    };
  });
  return {
    format: 'layerif-rows',
    version: 1,
    resultFile,
    task: task.task,
    by,
    over: by === 'loss' || chosen.length === 1 ? null : over,
    layers: chosen.map((l) => nth(task.layers, l).index),
    of: n,
    rows,
    notes: notesOf(result, by, rows),
  };
}

/** One number a row: higher = more helpful. */
function combined(influence: readonly number[][], n: number, over: LayerRule): Float64Array {
  const layers = influence.map((values) => Float64Array.from(values));
  if (layers.length === 1) return nth(layers, 0);
  const values = crossLayerRules[over].aggregate({ n, m: 1, layers }, { k: Math.ceil(VOTED * n) });
  return over === 'rank' ? values.map((sum) => 1 + sum / layers.length) : values;
}

function layersOf(task: ResultTask, layer: number | undefined): number[] {
  const all = task.layers.map((_, l) => l);
  if (layer === undefined) return all;
  const chosen = all.filter((l) => nth(task.layers, l).index === layer);
  if (chosen.length > 0) return chosen;
  const known = task.layers.map(({ index }) => index);
  throw new LayerifError(
    'badRequest',
    `--layer ${layer} was not scored for task "${task.task}": use one of ${known.join(', ')}`,
  );
}

function notesOf({ experiment }: Pick<Result, 'experiment'>, by: RowOrder, rows: readonly ListedRow[]): string[] {
  if (by !== 'harmful') return [];
  const harmful = rows.filter(({ harms, helps }) => harms > helps).length;
  return [
    ...(harmful === 0
      ? ['None of these rows harms validation in most layers: they are the least helpful ones.']
      : harmful < rows.length
        ? [
            `Of these, ${harmful} ${harmful === 1 ? 'harms' : 'harm'} validation in most layers; the others are the least helpful of the rest.`,
          ]
        : []),
    ...(experiment.score.loss === 'target'
      ? []
      : [
          'The whole text was scored (score.loss: all). To look for wrong answers or labels, score with loss: target, which counts the answer alone.',
        ]),
  ];
}

function lostNote(lost: number, of: number): string {
  return `The texts of ${lost} of ${of} rows cannot be shown: their file is not there, or not as it was when it was scored.`;
}

function taskOf(result: Result, file: string, name: string | undefined): ResultTask {
  if (name === undefined && result.tasks.length > 1) {
    const known = result.tasks.map(({ task }) => task).join(', ');
    throw new LayerifError('badRequest', `${file} has ${result.tasks.length} tasks: choose one with --task: ${known}`);
  }
  return nth(chosenTasks(result, file, name === undefined ? undefined : [name]), 0);
}

export interface Without {
  /** Partial results will do too. */
  resultFile: string;
  task: string;
  /** Indices into the training rows that are left out. */
  samples: readonly number[];
  /** The new file; its ending tells the format (.csv, .tsv, .json, else JSON lines). Default: beside the result. */
  file?: string | undefined;
}

/**
 * The training rows of the task but some, with the columns that their files have; never over a file that exists.
 * @param dry nothing is written
 * @throws LayerifError `badRequest`: the file exists, rows cannot be read again; `cannotWrite`
 */
export async function writeWithout(
  { resultFile, task, samples, file: asked }: Without,
  dry = false,
): Promise<WrittenRows> {
  const result = readResult(resultFile);
  const { train } = taskOf(result, resultFile, task);
  const { dataset } = result.experiment.tasks.find((one) => one.task === task)!;
  const source = datasetNamed(result.experiment.datasets, dataset).ds_type ?? formatOf(nth(train.rows, 0).file);
  const ending = writers[writtenFormat(source, nth(train.rows, 0).file)].ending;
  const stem = resultFile.replace(/(\.layerif-result)?\.json$/, '');
  const file = asked ?? freeName(`${stem}.${task.replaceAll(/[^\w.-]+/g, '_')}-without`, ending);
  requireNew(file, `--without ${file}`);
  const left = new Set(samples);
  const of = train.samples;
  const kept = Array.from({ length: of }, (_, i) => i).filter((sample) => !left.has(sample));
  if (kept.length === 0)
    throw new LayerifError(
      'badRequest',
      `--without would leave none of the ${of} training samples: list fewer with --top`,
    );
  const found = await sampleRows(resultFile, task, 'train', kept);
  const lost = kept.find((sample) => !found.has(sample));
  if (lost !== undefined)
    throw new LayerifError(
      'badRequest',
      `the rows of task "${task}" cannot be copied: that of training sample ${lost} is not there, not as it was scored, or of a format without columns; run layerif score again`,
    );
  const format = writtenFormat(formatOf(file), file);
  const values = kept.map((sample) => cellsOf(found.get(sample)!, source, format));
  const columns = [...new Set(values.flatMap((row) => Object.keys(row)))];
  const rows = Readable.from(values.map((row) => ({ values: row, columns })));
  const told: WrittenRows = { file, rows: kept.length, of, notes: [] };
  if (dry) return { ...told, preview: await previewOf(format, rows) };
  return { ...told, rows: await writeRows(path.resolve(file), format, rows) };
}
