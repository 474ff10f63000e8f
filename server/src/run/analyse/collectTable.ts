/**
 * Our own runs as a table: one row for each task of a run, or one for each of its layers, with what tells runs apart
 * (model, dataset, estimator, seed, ...) and every metric, as `layerif analyse` reads it. What a run does not have is
 * an empty cell.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Evaluation } from '../../../../protocol/evaluation.ts';
import { fileKinds } from '../../../../protocol/files/kinds.ts';
import type { FileKind } from '../../../../protocol/files/kinds.ts';
import type { Result } from '../../../../protocol/result.ts';
import type { ScoresFile, ScoreTable } from '../../../../protocol/scores.ts';
import { relativeTo } from '../files/paths.ts';
import { readFileOf } from '../files/readFile.ts';

export const tableUnits = ['task', 'layer'] as const;
export type TableUnit = (typeof tableUnits)[number];

export type Cell = string | number | null;
export type TableRow = Record<string, Cell>;

const collected = ['result', 'scores', 'evaluation'] as const satisfies readonly FileKind[];
/** A folder of runs is not deeper. */
const DEEPEST = 6;
const notEntered = new Set(['node_modules', '.git', 'partial', 'observations']);

/** @returns columns in the order in which they first appear, and rows. @throws LayerifError `badRequest` */
export function collectTable(
  targets: readonly string[],
  unit: TableUnit,
  baseDir: string,
): { columns: string[]; rows: TableRow[] } {
  const files = [...new Set(targets.flatMap((target) => filesOf(path.resolve(baseDir, target))))];
  const rows = files.flatMap((file) => rowsOf(file, unit, relativeTo(baseDir, file)));
  if (rows.length === 0)
    throw new LayerifError(
      'badRequest',
      `${targets.join(', ')}: nothing there has a row for each ${unit}; ${unit === 'layer' ? 'layers are in results and files of scores' : 'tasks are in results and evaluations'}`,
    );
  return { columns: [...new Set(rows.flatMap((row) => Object.keys(row)))], rows };
}

const kindOf = (file: string) => collected.find((kind) => file.endsWith(fileKinds[kind].suffix));

function filesOf(target: string): string[] {
  const stat = fs.statSync(target, { throwIfNoEntry: false });
  const endings = collected.map((kind) => `*${fileKinds[kind].suffix}`).join(', ');
  if (!stat)
    throw new LayerifError('badRequest', `${target} does not exist: give files ${endings}, or folders that hold some`);
  if (stat.isDirectory()) {
    const found = below(target, 0);
    if (found.length > 0) return found;
    throw new LayerifError(
      'badRequest',
      `the folder ${target} holds no ${endings}; run layerif score or layerif evaluate first`,
    );
  }
  if (kindOf(target)) return [target];
  throw new LayerifError(
    'badRequest',
    `${target} cannot be part of a table: give files ${endings}, or folders that hold some`,
  );
}

function below(folder: string, depth: number): string[] {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) return depth < DEEPEST && !notEntered.has(entry.name) ? below(full, depth + 1) : [];
      return kindOf(entry.name) ? [full] : [];
    });
}

function rowsOf(file: string, unit: TableUnit, name: string): TableRow[] {
  switch (kindOf(file)) {
    case 'result': {
      const result = readFileOf('result', file);
      return unit === 'task' ? resultTasks(result, name) : resultLayers(result, name, scoresBeside(file));
    }
    case 'scores': {
      // Beside a result its columns stand in the result's rows.
      if (unit === 'task' || fs.existsSync(file.replace(fileKinds.scores.suffix, fileKinds.result.suffix))) return [];
      return scoreLayers(readFileOf('scores', file), name);
    }
    case 'evaluation':
      return unit === 'task' ? evaluationTasks(readFileOf('evaluation', file), name) : [];
    case undefined:
      return [];
  }
}

function commonOf({ experiment, model, score, provenance }: Result, file: string): TableRow {
  return {
    file,
    status: 'complete',
    date: provenance.date,
    model: model.name,
    family: model.family,
    parameters: model.parameters,
    layers: model.layers,
    estimator: score.estimator,
    damping: experiment.score.damping.factor,
    loss: experiment.score.loss,
    aggregation: experiment.score.aggregation,
    seed: provenance.seed,
  };
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

function resultTasks(result: Result, file: string): TableRow[] {
  const common = { ...commonOf(result, file), status: result.status };
  return result.tasks.map(({ task, train, validation, layers }) => {
    const total = layers.reduce((sum, { score }) => sum + Math.abs(score), 0);
    const highest = layers.reduce<(typeof layers)[number] | null>(
      (best, layer) => (best && best.score >= layer.score ? best : layer),
      null,
    );
    return {
      ...common,
      task,
      dataset: datasetOf(result, task),
      train_samples: train.samples,
      validation_samples: validation.samples,
      train_loss: meanOf(train.loss),
      validation_loss: meanOf(validation.loss),
      highest_layer: highest?.index ?? null,
      highest_share: highest && total > 0 ? highest.score / total : null,
    };
  });
}

const datasetOf = ({ experiment }: Result, task: string) =>
  experiment.tasks.find((own) => own.task === task)?.dataset ?? null;

function resultLayers(result: Result, file: string, scores: ScoresFile | null): TableRow[] {
  const common = { ...commonOf(result, file), status: result.status };
  const columns = scores ? layerColumns(scores) : [];
  return result.tasks.flatMap(({ task, layers }) => {
    const order = layers.toSorted((a, b) => b.score - a.score);
    return layers.map((layer) => ({
      ...common,
      task,
      dataset: datasetOf(result, task),
      layer: layer.index,
      score: layer.score,
      positive: layer.positive,
      top25: layer.top25,
      sum: layer.sum,
      rank: order.indexOf(layer) + 1,
      ...Object.fromEntries(columns.map(([id, values]) => [id, values.get(layer.index) ?? null])),
    }));
  });
}

function scoresBeside(file: string): ScoresFile | null {
  const beside = file.replace(fileKinds.result.suffix, fileKinds.scores.suffix);
  return fs.existsSync(beside) ? readFileOf('scores', beside) : null;
}

/** Scores with one value for each layer. */
function layerColumns({ tables }: ScoresFile): [id: string, values: Map<number, number | null>][] {
  const valuesOf = ({ layers, axes, subject, values }: ScoreTable) =>
    layers
      ? new Map(layers.values.map((value, layer) => [layer, value]))
      : subject === 'layer' && axes.length === 1
        ? new Map(
            axes.flatMap(({ labels }) =>
              labels.map((label, i): [number, number | null] => [Number(label), values[i] ?? null]),
            ),
          )
        : null;
  return tables.flatMap((table) => {
    const values = valuesOf(table);
    return values ? [[table.score, values] as [string, Map<number, number | null>]] : [];
  });
}

function scoreLayers(scores: ScoresFile, file: string): TableRow[] {
  const { model, provenance, status } = scores;
  const columns = layerColumns(scores);
  if (columns.length === 0) return [];
  return Array.from({ length: model.layers }, (_, layer) => ({
    file,
    status,
    date: provenance.date,
    model: model.name,
    family: model.family,
    layers: model.layers,
    seed: provenance.seed,
    layer,
    ...Object.fromEntries(columns.map(([id, values]) => [id, values.get(layer) ?? null])),
  }));
}

/** Metrics under the names of the harness, `acc` for `acc,none`. */
function evaluationTasks(
  { results, model, provenance, 'n-shot': shots, 'n-samples': samples }: Evaluation,
  file: string,
): TableRow[] {
  return Object.entries(results).map(([task, metrics]) => ({
    file,
    status: 'complete',
    date: provenance.date,
    model: model.name,
    family: model.family,
    task,
    seed: provenance.seed ?? null,
    num_fewshot: shots[task] ?? null,
    documents: samples[task]?.effective ?? null,
    ...Object.fromEntries(
      Object.entries(metrics).flatMap(([metric, value]) =>
        typeof value === 'number' ? [[metric.replace(/,none$/, ''), value]] : [],
      ),
    ),
  }));
}

/** RFC 4180, with `\n`. */
export function csvText({ columns, rows }: { columns: readonly string[]; rows: readonly TableRow[] }): string {
  const quoted = (cell: Cell | undefined) => {
    const text = String(cell ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((name) => row[name]))]
    .map((cells) => `${cells.map(quoted).join(',')}\n`)
    .join('');
}
