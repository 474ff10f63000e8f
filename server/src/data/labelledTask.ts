/**
 * A task's samples with their labels, for what changes labels or predicts them (validation of influence): the index
 * among the choices, the tokens of the prompt alone, and the same row with another choice as its answer.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Task } from '../../../protocol/experiment.ts';
import { exampleOf, exampleWithChoice } from './context.ts';
import { docOf } from './examples.ts';
import { fewshotForRows, fewshotPool } from './fewshot.ts';
import { datasetOf, slicesOf } from './loadTask.ts';
import type { LoadTaskOptions } from './loadTask.ts';
import { sampleOf } from './samples.ts';
import { readSlice } from './splits.ts';
import type { TextTokenizer } from './tokenizer.ts';
import type { Example, Row, Sample } from './types.ts';

export interface LabelledSample extends Sample {
  /** Index of the gold choice; null for a task without choices. */
  label: number | null;
  /** Answers to choose from; null for a task without choices. */
  choices: readonly string[] | null;
  /** Tokens before the answer; the whole text for `loglikelihood_rolling`. */
  prompt: Int32Array;
  /** First token of the answer: the class of tasks without choices. */
  answerToken: number | null;
  /** This row with the choice `label` as its answer. @throws Error for a task without choices */
  relabelled(label: number): Sample;
}

/** @throws LayerifError `badData`, as `loadTask` */
export async function loadLabelled(
  options: LoadTaskOptions,
  sizes: { train: number; validation: number },
): Promise<{ train: LabelledSample[]; validation: LabelledSample[] }> {
  const { task } = options;
  const dataset = await datasetOf(options);
  const { training, validation } = await slicesOf(task, dataset);
  const pool = await fewshotPool(task, dataset, training);
  const load = async (slice: string, count: number) => {
    const rows = await readSlice(dataset, slice);
    const fewshot = fewshotForRows(task, pool, rows);
    return rows.slice(0, count).map((row) => labelled(task, row, fewshot(row), options));
  };
  return { train: await load(training, sizes.train), validation: await load(validation, sizes.validation) };
}

function labelled(
  task: Task,
  row: Row,
  examples: readonly Row[],
  { tokenizer, maxLength, loss }: LoadTaskOptions,
): LabelledSample {
  const example = exampleOf(task, row, examples);
  const sample = sampleOf(example, tokenizer, { maxLength, loss });
  if (task.output_type === 'loglikelihood_rolling') {
    const relabelled = (): Sample => {
      throw new LayerifError('badRequest', `task "${task.task}" has no choices, so its labels cannot be changed`);
    };
    return {
      ...sample,
      label: null,
      choices: null,
      prompt: sample.tokens,
      answerToken: sample.tokens[1] ?? null,
      relabelled,
    };
  }
  const doc = docOf(task, row);
  const parts = promptParts(example, tokenizer, maxLength);
  return {
    ...sample,
    label: doc.gold,
    choices: doc.choices,
    ...parts,
    relabelled(label) {
      const choice = doc.choices?.[label];
      if (choice === undefined)
        throw new LayerifError('badRequest', `task "${task.task}" has no choice number ${label} to change a label to`);
      return sampleOf(exampleWithChoice(task, row, choice, examples), tokenizer, { maxLength, loss });
    },
  };
}

function promptParts(example: Example, tokenizer: TextTokenizer, maxLength: number) {
  const { tokens, countedFrom } = sampleOf(example, tokenizer, { maxLength, loss: 'target' });
  return { prompt: tokens.slice(0, countedFrom), answerToken: tokens[countedFrom] ?? null };
}
