/** Words that the schema and its rules are written in. */
import { z } from 'zod';

/** A schema with the sentence that hover and completion show, and values that make good examples. */
export function doc<S extends z.ZodType>(schema: S, description: string, examples?: unknown[]): S {
  return schema.meta(examples ? { description, examples } : { description });
}

export const filePath = z.string().min(1);

/** Names of datasets and of tasks end up in file names and messages, so they hold visible characters. */
export const datasetName = z.string().min(1);

/** `train`, `train[:300]`, `train[10%:20%]`, `train[-50:]`, and sums of them with `+`, as in Hugging Face. */
const slice = String.raw`[\w.-]+(\[(-?[\d_]+%?)?:(-?[\d_]+%?)?\])?`;
export const splitSlice = z
  .string()
  .regex(new RegExp(String.raw`^\s*${slice}(\s*\+\s*${slice})*\s*$`))
  .meta({
    examples: ['train[:300]', 'train[80%:]', 'train'],
  });

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const maxLength = z.int().min(2);

/** Keys that name texts. */
export const textSource = {
  dataset: doc(datasetName, 'A name under `datasets`.'),
  split: doc(splitSlice, 'Split with an optional slice.', ['train[:128]']),
};
