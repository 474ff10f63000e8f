/** The layer scores of a result, ready to be allocated by: which tasks, which aggregate, nothing missing. */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { AggregationId } from '../../../../protocol/experiment.ts';
import type { Result, ResultTask } from '../../../../protocol/result.ts';
import { taskMean } from '../../allocation/taskMean.ts';
import { nth } from '../../lists/nth.ts';

export interface ResultScores {
  tasks: string[];
  aggregation: AggregationId;
  /** One per layer of the model. */
  scores: number[];
  /** Layer x module, in the order of `modules`; null where a module of the model was not scored. */
  moduleScores: ((modules: readonly string[]) => number[][]) | null;
}

/**
 * @param names tasks to use; default: all of the experiment
 * @throws LayerifError `badRequest` for an unknown task, and for layers that are not scored, with their list
 */
export function resultScores(
  result: Result,
  file: string,
  names?: readonly string[],
  aggregation?: AggregationId,
): ResultScores {
  const asked = names?.length ? names : wantedTasks(result);
  const tasks = asked.map((name) => result.tasks.find(({ task }) => task === name) ?? missingTask(result, file, name));
  for (const task of tasks) requireAllLayers(task, result, file);
  const used = aggregation ?? result.experiment.score.aggregation;
  return {
    tasks: [...asked],
    aggregation: used,
    scores: taskMean(tasks.map(({ task, layers }) => ({ task, scores: layers.map((layer) => layer[used]) }))),
    moduleScores:
      aggregation !== undefined && aggregation !== result.experiment.score.aggregation
        ? null
        : (modules) => moduleScores(tasks, modules),
  };
}

/** The tasks that the run was to score: those of the file, unless only some were asked for. */
function wantedTasks(result: Result): string[] {
  const begun = result.tasks.map(({ task }) => task);
  return result.status === 'complete'
    ? begun
    : [...new Set([...begun, ...result.experiment.tasks.map(({ task }) => task)])];
}

function missingTask(result: Result, file: string, name: string): never {
  const have = result.tasks.map(({ task }) => task).join(', ') || 'none';
  const known = result.experiment.tasks.some(({ task }) => task === name);
  throw new LayerifError(
    'badRequest',
    known
      ? `${file} is a partial result: task ${name} is not scored yet, all ${result.model.layers} layers are missing (scored: ${have}); run layerif score again, or use --task`
      : `${file} has no task "${name}": it has ${have}`,
  );
}

function requireAllLayers({ task, layers }: ResultTask, { model, status }: Result, file: string): void {
  const scored = new Set(layers.map(({ index }) => index));
  const missing = Array.from({ length: model.layers }, (_, i) => i).filter((i) => !scored.has(i));
  if (missing.length === 0) return;
  throw new LayerifError(
    'badRequest',
    status === 'partial'
      ? `${file} is a partial result: task ${task} lacks layers ${ranges(missing)}; run layerif score again, it continues there`
      : `${file}: task ${task} was scored without layers ${ranges(missing)}, so nothing can be shared out among all layers; score with layers: all`,
  );
}

function moduleScores(tasks: readonly ResultTask[], modules: readonly string[]): number[][] {
  const flat = taskMean(
    tasks.map(({ task, layers }) => ({
      task,
      scores: layers.flatMap((layer) =>
        modules.map((name) => layer.modules[name]?.score ?? missingModule(layer.name, name)),
      ),
    })),
  );
  return nth(tasks, 0).layers.map((_, l) => flat.slice(l * modules.length, (l + 1) * modules.length));
}

function missingModule(layer: string, module: string): never {
  throw new LayerifError(
    'badRequest',
    `${layer}.${module} was not scored, so it has no sparsity of its own: use --unit block, or score with modules: ["*"]`,
  );
}

/** 0, 1, 2, 5 -> "0-2, 5". */
export function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; i++) {
    const start = numbers[i];
    while (numbers[i + 1] === nth(numbers, i) + 1) i++;
    parts.push(start === numbers[i] ? `${start}` : `${start}-${numbers[i]}`);
  }
  return parts.join(', ');
}
