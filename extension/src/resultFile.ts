/**
 * Reading `*.layerif-result.json` in the editor. A file may come from a newer LayerIF, another tool or a half-finished copy,
 * so everything that the page draws is checked here and a fault becomes one readable sentence. No `vscode` here.
 */
import type { Result, ResultTask } from '../../protocol/result.ts';

/** Text of a result file -> result. Throws an `Error` whose message can be shown as it is. */
export function parseResult(text: string): Result {
  if (text.trim() === '') throw new Error('This result file is empty. Run the experiment again to write it.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(
      `This result file is not valid JSON (${(error as Error).message}). Run the experiment again to write it.`,
      {
        cause: error,
      },
    );
  }
  if (!isObject(value) || value.format !== 'layerif-result')
    throw new Error('This file is not a LayerIF result: "format" must be "layerif-result".');
  if (value.version !== 1)
    throw new Error(
      `This result has version ${JSON.stringify(value.version)}; this LayerIF reads version 1. Update the extension.`,
    );
  const fault = firstFault(value);
  if (fault) throw new Error(`This result file is damaged: ${fault}. Run the experiment again to write it.`);
  return value as unknown as Result;
}

function firstFault(value: Record<string, unknown>): string | null {
  for (const key of ['experiment', 'model', 'score', 'provenance'])
    if (!isObject(value[key])) return `"${key}" is missing`;
  const experiment = value.experiment as Record<string, unknown>;
  if (!Array.isArray(experiment.tasks)) return '"experiment.tasks" is missing';
  if (!isObject(experiment.score)) return '"experiment.score" is missing';
  if (!Array.isArray(value.tasks)) return '"tasks" is missing';
  for (const [i, task] of value.tasks.entries()) {
    const where = `"tasks[${i}]"`;
    if (!isObject(task) || typeof task.task !== 'string') return `${where} has no name`;
    for (const side of ['train', 'validation'])
      if (!isObject(task[side]) || !Array.isArray(task[side].rows)) return `${where} has no "${side}.rows"`;
    if (!Array.isArray(task.layers)) return `${where} has no "layers"`;
    if (!Array.isArray(task.influence) || task.influence.length !== task.layers.length)
      return `${where} has ${task.layers.length} layers but influence for ${Array.isArray(task.influence) ? task.influence.length : 0}`;
    for (const layer of task.layers as unknown[])
      if (
        !isObject(layer) ||
        typeof layer.index !== 'number' ||
        typeof layer.score !== 'number' ||
        !isObject(layer.modules)
      )
        return `${where} has a layer without index, score or modules`;
  }
  return null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The result as pages get it: without the gradient norms, which no page draws and which are as large as the influences. */
export function forPage(result: Result): Result {
  const tasks = result.tasks.map((task) => ({
    ...task,
    train: { ...task.train, gradientSquaredNorm: [] },
    validation: { ...task.validation, gradientSquaredNorm: [] },
  }));
  return { ...result, tasks };
}

/** What lists show of a result. */
export interface ResultSummary {
  status: Result['status'];
  model: string;
  estimator: string;
  /** ISO 8601; '' where the run did not get so far. */
  date: string;
  experimentFile: string;
  tasks: { task: string; finished: number; topLayers: number[] }[];
}

export function summarise(result: Result): ResultSummary {
  return {
    status: result.status,
    model: result.model.name,
    estimator: result.score.estimator,
    date: result.provenance.date ?? '',
    experimentFile: result.experimentFile ?? '',
    tasks: result.tasks.map((task) => ({
      task: task.task,
      finished: task.layers.length,
      topLayers: topLayers(task, 3),
    })),
  };
}

/** Indices of the `count` layers with the largest score, largest first; ties by index. */
export function topLayers(task: ResultTask, count: number): number[] {
  return [...task.layers]
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count)
    .map((layer) => layer.index);
}
