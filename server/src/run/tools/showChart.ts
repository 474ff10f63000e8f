/** `show_chart`: a run in words, and the result as far as the chart of layers draws it, without rows and influences. */
import type { Result, ResultSamples } from '../../../../protocol/result.ts';
import type { ToolAnswer } from '../../../../protocol/tools.ts';
import { readResult } from '../files/results.ts';
import type { ToolValues } from './input.ts';
import { summaryText, tasksOf } from './summary.ts';
import type { ToolContext } from './types.ts';

/** @throws LayerifError `badRequest` */
export function showChart({ result: named, task }: ToolValues, { folders }: ToolContext): ToolAnswer {
  const file = folders.inside(String(named));
  const result = readResult(file);
  const tasks = tasksOf(result, task as string | undefined, file);
  return { text: summaryText(result, tasks, file), data: { result: forChart({ ...result, tasks }), file } };
}

/** Of 80 layers and eight tasks some 200 KB, whatever the number of samples. */
export function forChart(result: Result): Result {
  const bare = (samples: ResultSamples): ResultSamples => ({ ...samples, rows: [], loss: [], gradientSquaredNorm: [] });
  return {
    ...result,
    experiment: { ...result.experiment, datasets: {} },
    tasks: result.tasks.map((task) => ({
      ...task,
      train: bare(task.train),
      validation: bare(task.validation),
      damping: [],
      influence: [],
      layers: task.layers.map((layer) => ({ ...layer, modules: {} })),
    })),
  };
}
