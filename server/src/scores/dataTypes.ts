/**
 * What a score of rows is: it declares in which form the texts of a row go through the model and what is observed of
 * them, sees the rows pass by a chunk at a time, and ends with one number a row. Pure: no files, no graphs, no model.
 * Schema, command line, list, report and the page of results are made from these rows, as for layer scores.
 *
 * To add one: a file like `rowLoss.ts`, a row in `dataScores.ts`, a row in `test/scores/dataCases.ts`.
 */
import type { Json, ScoreTable, Tensors } from '../../../protocol/scores.ts';
import type { EncodedSample } from '../../../protocol/samples.ts';
import type { Random } from '../random/random.ts';
import type { ObservationId } from './observations.ts';
import type { OptionRow, OptionRows, OptionValues, ScoreWords } from './types.ts';

/**
 * How prompt and answer of a row become tokens, of which those of the answer are counted:
 *
 *     answered      prompt and answer encoded as one text, as they are trained on
 *     apart         the same; where the tokenizer merges across the boundary, the two encoded by themselves; without a
 *                   prompt as `alone` without a prefix
 *     alone         the answer's tokens of `apart` behind `prefix`; without one, behind the token that begins texts (BOS,
 *                   else EOS)
 *     prompt        the prompt alone, all but its first token counted
 *     compat        as the published scripts: the first tokens of the text, counted from where the answer is last found
 *     compat_alone  as the published scripts: `prefix` and answer encoded as one text
 */
export type FormId = 'answered' | 'apart' | 'alone' | 'prompt' | 'compat' | 'compat_alone';

export interface TextForm {
  form: FormId;
  prefix: string;
}

/** What is asked of the model for each row. */
export interface RowNeed {
  of: ObservationId;
  options: Record<string, Json>;
  text: TextForm;
  /** By the base model of the adapter. */
  base?: boolean;
}

/** Texts of a chunk of rows in one form, and what was observed of them. */
export interface RowTexts {
  samples: readonly EncodedSample[];
  /** Of each row of the chunk: index of its text; -1 where it has none. */
  text: Int32Array;
  tensors: Tensors;
}

/** What is known of a row without the model. */
export interface RowFacts {
  /** Tokens as they are trained on, before anything is cut. */
  prompt: number;
  answer: number;
  /** Whether the text is longer than the model reads. */
  truncated: boolean;
  /** Whether the tokenizer merges the end of the prompt with the answer. */
  merged: boolean;
  /** Prompt and answer; '' for scores that read no texts. */
  text: string;
  emptyPrompt: boolean;
  emptyAnswer: boolean;
}

/** What is asked of the model for facts: a subject, a relation and the answers that are right. */
export interface FactAsk {
  /** File with the templates of each relation; '' for the prompt of the task. */
  templates: string;
  /** Drawn texts behind each template; null for none. */
  completions: { samples: number; temperature: number; maxNewTokens: number; seed: number } | null;
}

/** A fact, and what the model makes of it. */
export interface FactSeen {
  relation: string;
  /** The object, and what else is right. */
  answers: readonly string[];
  /** One for each template. */
  prompts: readonly string[];
  /** Template x answer: tokens of the answer behind the prompt, and their log-probability together in nats. */
  continuations: readonly (readonly { tokens: ArrayLike<number>; logProbability: number }[])[];
  /** Template x sample; null where none were asked for. */
  completions: readonly (readonly string[])[] | null;
}

export interface Chunk<N extends string = string> {
  facts: readonly RowFacts[];
  /** Of scores of facts, one for each row. */
  known?: readonly FactSeen[];
  /** By the names of the score's needs. */
  observed: Record<N, RowTexts>;
}

/** Influence of each row on the validation samples of its task, over the layers. */
export type RowInfluence = Record<'mean' | 'rank' | 'vote', Float64Array>;

/** What is there when all rows have passed by. */
export interface End {
  random: Random;
  /** Of scores that ask for it. */
  influence?: RowInfluence | undefined;
  /** Values of the score that `among` names; null for rows that it leaves out. */
  among?: readonly (number | null)[] | undefined;
  /** Gives way to other work. @throws when the run is cancelled */
  breathe: () => Promise<void>;
}

/** Numbers of a table, one value a row; `run` adds the words. */
export type DataNumbers = Pick<
  ScoreTable,
  'values' | 'parts' | 'intervals' | 'level' | 'marks' | 'reference' | 'thresholds' | 'notes'
> & {
  /** What each row belongs to. */
  groups?: string[];
};

/** Rows pass by in their order, a chunk at a time; those that they are compared with before them. */
export interface RowFold<N extends string = string> {
  targets?(chunk: Chunk<N>): void;
  rows(chunk: Chunk<N>): void;
  /** @throws LayerifError `badRequest` for options that do not go with these rows */
  numbers(end: End): DataNumbers | Promise<DataNumbers>;
}

export interface DataScore<R extends OptionRows = OptionRows, N extends string = string> extends ScoreWords {
  options: R;
  /** Empty for scores that do not ask the model. */
  needs(options: OptionValues<R>): Record<N, RowNeed>;
  /** Of facts in place of texts: what is asked of the model for each. */
  facts?(options: OptionValues<R>): FactAsk;
  /** Whether the rows' tokens are counted although nothing may be observed of them. */
  tokens?: boolean;
  /** Whether it reads the texts themselves. */
  texts?: boolean;
  /** Whether rows are compared with the validation samples of the task. */
  targets?: boolean;
  /** Made of the influence of the result beside which it stands, for the rows of that result. */
  influence?: boolean;
  /** Id of the score whose highest rows alone take part; '' for all rows. */
  among?(options: OptionValues<R>): string;
  open(options: OptionValues<R>): RowFold<N>;
}

/** Keeps the types of a score's own options and needs within its file. */
export function defineDataScore<const R extends OptionRows, N extends string>(score: DataScore<R, N>): DataScore {
  return score;
}

/** Of scores that ask the model. */
export const scorerOption = {
  type: 'text',
  default: '',
  words: 'Folder, .gguf file or hub id of the model that scores; empty: the model of the experiment.',
} as const satisfies OptionRow;

/** NaN stands for what is undefined. */
export const orNull = (values: ArrayLike<number>): (number | null)[] =>
  Array.from(values, (value) => (Number.isFinite(value) ? value : null));

/** A mark for rows that there are, none for no rows. */
export function mark(at: number[], words: string, drop: boolean): { at: number[]; words: string; drop?: boolean }[] {
  return at.length === 0 ? [] : [{ at, words, ...(drop ? { drop: true } : {}) }];
}

/** Indices of the rows of which this is true. */
export const rowsWhere = (count: number, is: (row: number) => boolean): number[] =>
  Array.from({ length: count }, (_, row) => row).filter(is);
