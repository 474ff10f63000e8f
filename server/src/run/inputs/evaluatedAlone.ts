/** Harness tasks that are made for evaluation alone: `evaluate` takes them, `score` does not. */
import type { Task } from '../../../../protocol/experiment.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { parseSlices } from '../../data/slices.ts';
import { listed } from '../../text/listed.ts';

/** What is said of a task that names test rows and whose dataset has none to train on; null for the others. */
export function evaluatedAlone(task: Task, { name, splits }: Pick<OpenDataset, 'name' | 'splits'>): string | null {
  if (task.test_split === undefined) return null;
  if (parseSlices(task.training_split).some(({ split }) => splits.includes(split))) return null;
  return `task "${task.task}" can be evaluated, not scored: dataset "${name}" has no split "train", only ${listed(splits)}; to score it, name rows with training_split and validation_split`;
}
