/**
 * Slices that sections beside the tasks name, with their keys, and what is said of one that ends behind its split. To
 * add a key that names rows, add a row to `namedSplits`.
 */
import type { Experiment, ScoredTexts, Task } from '../../../../protocol/experiment.ts';
import type { Path } from '../../config/experiment.ts';
import { parseSlices } from '../../data/slices.ts';
import type { OpenDataset } from '../../data/dataset.ts';
import { countSlice } from '../../data/splits.ts';

export interface NamedSplit {
  path: Path;
  dataset: string;
  split: string;
}

/** Of a key that may be left out. */
type Found = { path: Path; dataset: string | undefined; split: string | undefined };

/** Those that are there. */
export function namedSplits(experiment: Experiment): NamedSplit[] {
  const { scores = [], data_scores = [], prune, evaluate, train, train_experts, validate } = experiment;
  const first = experiment.tasks[0];
  const trained = experiment.tasks.find(({ task }) => task === train?.task) ?? first;
  const all: Found[] = [
    ...scores.flatMap(({ id, texts }, i) => ofTexts(['scores', i, id, 'texts'], texts)),
    ...data_scores.flatMap(({ id, texts }, i) => ofTexts(['data_scores', i, id, 'texts'], texts)),
    ...ofTexts(['prune', 'calibration'], prune?.calibration),
    ...ofTexts(['evaluate', 'perplexity'], evaluate?.perplexity),
    ...ofTexts(['validate', 'forgetting', 'corpus'], validate?.forgetting?.corpus),
    ...ofTask(['train'], trained, train),
    ...ofTask(['train_experts'], first, train_experts),
  ];
  return all.flatMap(({ path, dataset, split }) =>
    dataset === undefined || split === undefined ? [] : [{ path, dataset, split }],
  );
}

function ofTexts(path: Path, texts: Pick<ScoredTexts, 'dataset' | 'split' | 'held_out'> | undefined): Found[] {
  return (['split', 'held_out'] as const).map((key) => {
    return { path: [...path, key], dataset: texts?.dataset, split: texts?.[key] };
  });
}

function ofTask(
  path: Path,
  task: Task | undefined,
  section: { training_split?: string; validation_split?: string } | undefined,
): Found[] {
  return (['training_split', 'validation_split'] as const).map((key) => {
    return { path: [...path, key], dataset: task?.dataset, split: section?.[key] };
  });
}

/** A sentence for each term of a slice that ends behind the last row; none for a slice without rows. */
export async function behindTheEnd(dataset: OpenDataset, text: string): Promise<string[]> {
  const count = await countSlice(dataset, text);
  const said: string[] = [];
  for (const { split, to, unit } of count === 0 ? [] : parseSlices(text)) {
    const rows = await dataset.count(split);
    if (unit !== 'rows' || to === null || to <= rows) continue;
    said.push(
      `${text} asks for rows up to ${to}, "${split}" of dataset "${dataset.name}" has ${rows}: ${count} rows are used`,
    );
  }
  return said;
}
