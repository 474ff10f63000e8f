/** The first row of a task as it is scored: its text, and how many tokens it takes. For an editor that asks again. */
import type { Experiment, Task } from '../../../../protocol/experiment.ts';
import { exampleOf } from '../../data/context.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { sampleOf } from '../../data/samples.ts';
import { nth } from '../../lists/nth.ts';
import { knownTokenizer, openKnownDataset } from './describe.ts';
import { firstRows } from './firstRows.ts';

export interface FirstSample {
  /** What the loss counts stands behind it where `loss: target`. */
  prompt: string;
  answer: string;
  /** Null where the model gives no tokenizer, or is not here. */
  tokens: number | null;
  truncated: boolean;
}

/** Without few-shot examples, which other rows give. @throws LayerifError `badData`; null for a slice without rows */
export async function firstSample(
  { model, score, datasets }: Experiment,
  task: Task,
  baseDir: string,
): Promise<FirstSample | null> {
  const dataset = await openKnownDataset(task.dataset, datasetNamed(datasets, task.dataset), baseDir);
  const rows = await firstRows(dataset, task.training_split, 1);
  if (rows.length === 0) return null;
  const example = exampleOf({ ...task, num_fewshot: 0, description: undefined }, nth(rows, 0));
  const { prompt, answer } = example;
  const tokenizer = await knownTokenizer(model, baseDir).catch(() => null);
  if (!tokenizer) return { prompt, answer, tokens: null, truncated: false };
  const { tokens, truncated } = sampleOf(example, tokenizer, { maxLength: model.max_length, loss: score.loss });
  return { prompt, answer, tokens: tokens.length, truncated };
}
