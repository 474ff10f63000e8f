/** Where tasks and datasets stand in an experiment file, also in a broken one. */
import type { LocateAnswer, LocateParams, OutlineAnswer } from '../../../protocol/lsp.ts';
import type { Path } from '../config/experiment.ts';
import type { OpenExperiment } from './documents.ts';
import { nth } from '../lists/nth.ts';

interface Outline {
  tasks: { task: string; dataset: string; path: Path }[];
  datasets: { dataset: string; path: Path }[];
}

/** In file order; entries without a name are left out. */
export function outlineOf({ raw }: Pick<OpenExperiment, 'raw'>): Outline {
  const root = mapping(raw);
  const datasets = Object.keys(mapping(root.datasets)).map((dataset) => ({ dataset, path: ['datasets', dataset] }));
  const only = datasets.length === 1 ? nth(datasets, 0).dataset : '';
  const tasks = (Array.isArray(root.tasks) ? (root.tasks as unknown[]) : []).flatMap((entry, index) => {
    const { task, dataset, dataset_path } = mapping(entry);
    if (typeof task !== 'string' || task === '') return [];
    const name = [dataset, dataset_path, only].find((word) => typeof word === 'string') as string;
    return [{ task, dataset: name, path: ['tasks', index] as Path }];
  });
  return { tasks, datasets };
}

export function outlineAnswer(open: OpenExperiment): OutlineAnswer {
  const { tasks, datasets } = outlineOf(open);
  const line = (path: Path) => placeOf(open, path).line;
  return {
    tasks: tasks.map(({ task, dataset, path }) => ({ task, dataset, line: line(path) })),
    datasets: datasets.map(({ dataset, path }) => ({ dataset, line: line(path) })),
  };
}

/** Null when the file has no such task or dataset. */
export function locate(open: OpenExperiment, { task, dataset }: Omit<LocateParams, 'uri'>): LocateAnswer | null {
  const { tasks, datasets } = outlineOf(open);
  const found = task === undefined ? datasets.find((d) => d.dataset === dataset) : tasks.find((t) => t.task === task);
  return found ? placeOf(open, found.path) : null;
}

/** A task whose name comes from an included file stands where it is included. */
function placeOf({ positions, file }: OpenExperiment, path: Path): LocateAnswer {
  const own = positions.key(path);
  const { line, column } = own.file === file ? own : positions.key([...path, 'include']);
  return { line: line - 1, character: column - 1 };
}

function mapping(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
