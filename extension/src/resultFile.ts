/** What pages and lists show of a result. No `vscode` here. */
import { badgeOf } from '../../protocol/readability.ts';
import type { Badge } from '../../protocol/readability.ts';
import type { Result, ResultTask } from '../../protocol/result.ts';
import type { Configured } from '../../protocol/settings.ts';

/**
 * The result as pages get it: without the gradient norms, which no page draws and which are as large as the influences.
 */
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
  tasks: { task: string; finished: number; topLayers: number[]; badge: Badge | null }[];
  configured: Configured;
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
      badge: badgeOf(task),
    })),
    configured: {
      experiment: result.experiment,
      model: { sha256: result.model.sha256 },
      provenance: { dataSha256: result.provenance.dataSha256 },
      tasks: result.tasks.map(({ task, train, validation }) => ({
        task,
        train: { samples: train.samples },
        validation: { samples: validation.samples },
      })),
    },
  };
}

/** Indices of the `count` layers with the largest score, largest first; ties by index. */
export function topLayers(task: ResultTask, count: number): number[] {
  return [...task.layers]
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, count)
    .map((layer) => layer.index);
}
