/**
 * What a score is: it declares what it needs of the model and turns the observations into numbers. Pure: no files, no
 * graphs, no model. Everything that a user sees of it (schema, command line, list, report, chart, export) is made from
 * these rows.
 *
 * To add one: a file like `blockInfluence.ts`, a row in `scores.ts`, a row in `test/scores/cases.ts`.
 */
import type { LabelNoise } from '../../../protocol/experiment.ts';
import type { Json, Question, ScoreTable, Subject, Tensors } from '../../../protocol/scores.ts';
import type { Random } from '../random/random.ts';
import type { ObservationId, ObservedShape } from './observations.ts';
import type { View, ViewAsk } from './views.ts';
import { nth } from '../lists/nth.ts';

/** Of one option: what it means, its default, and which values are allowed. */
export type OptionRow =
  | { type: 'number'; default: number; words: string; above?: number; least?: number; most?: number; whole?: boolean }
  | { type: 'choice'; default: string; words: string; choices: readonly string[] }
  | { type: 'flag'; default: boolean; words: string }
  | { type: 'text'; default: string; words: string };

export type OptionRows = Record<string, OptionRow>;

/** The values of a table of option rows. */
export type OptionValues<R extends OptionRows> = {
  [K in keyof R]: R[K] extends { type: 'number' }
    ? number
    : R[K] extends { type: 'choice'; choices: readonly (infer C)[] }
      ? C
      : R[K] extends { type: 'text' }
        ? string
        : boolean;
};

/** A need before it is known which texts and which model: `run` fills these in. */
export interface ScoreNeed {
  of: ObservationId;
  options: Record<string, Json>;
  /**
   * Of which model: the experiment's, or the one that it is compared with. That is the checkpoint of the option
   * `tuned`, or without one the model without its adapter; or a second model of its own kind. Default: `own`.
   */
  model?: 'own' | 'tuned' | 'second';
  /** Of `second`: which model, as its path is written; it reads the same rows with its own tokenizer. */
  second?: string;
}

/** What is known of each text beside its tokens. */
export interface Labels {
  /** Class of each text, an index into `names`. */
  of: Int32Array;
  names: readonly string[];
  /** Which question each text answers; absent where they are no answers. */
  groups?: Int32Array;
  /** So many of the last texts are held out: they are measured, the others are fitted on. 0 = none are declared. */
  heldOut: number;
}

/** What takes part in a score that is made of other scores: one value a layer, high where the layer is important. */
export interface Member {
  label: string;
  /** Id of the score. */
  score: string;
  question: Question;
  values: (number | null)[];
  /** Whether its high values speak for removal, so that `values` are turned over. */
  turned: boolean;
  /** Which texts it is an average over, and how many: members of the same texts are resampled together. */
  texts: string | null;
  count: number;
  drawn?: OfTexts;
}

/** Which influence a score is made of. */
export interface AskedInfluence {
  /** Empty for the first. */
  task: string;
  /** Column or template that marks mislabelled rows; empty for the column `noisy`. */
  noisy: string;
  /** Labels that are changed on purpose, in a run of its own. */
  noise: LabelNoise | null;
}

/** Influence of each training sample. */
export interface SampleInfluence {
  /** Layer x sample, of `layers`. Positive helps. */
  values: readonly (readonly number[])[];
  layers: readonly number[];
  /** Whether the sample is known to be mislabelled. */
  noisy: readonly boolean[];
  estimator: string;
}

/** Values for texts with these indices, with repeats. */
export type OfTexts = (texts: ArrayLike<number>) => (number | null)[];

/** Numbers of a table; `run` adds the words. Without axes the values stand for the layers. */
export type ScoreNumbers = Pick<
  ScoreTable,
  'values' | 'parts' | 'intervals' | 'level' | 'p' | 'reference' | 'layers' | 'marks' | 'notes'
> & { axes?: ScoreTable['axes'] };

/** What a score says of itself, in lists and on its tables. */
export interface ScoreWords {
  id: string;
  /** Raised when the same observations give other numbers. */
  version: number;
  title: string;
  question: Question;
  subject: Subject;
  unit: string;
  higherMeans: ScoreTable['higherMeans'];
  formula: string;
  source: string;
  status: ScoreTable['status'];
}

export interface Score<R extends OptionRows = OptionRows, N extends string = string> extends ScoreWords {
  options: R;
  needs(options: OptionValues<R>, model: ObservedShape): Record<N, ScoreNeed>;
  /** @throws Error for observations that belong to another model */
  score(
    observed: Record<N, Tensors>,
    options: OptionValues<R>,
    tools: { model: ObservedShape; random: Random },
  ): ScoreNumbers;
  /** Whether its texts have labels: any, or answers with whether they are hallucinated. */
  labelled?: 'texts' | 'answers';
  /** Which vectors of the texts it reads (`span_states`), and what is to be known of each. */
  viewed?(options: OptionValues<R>): ViewAsk;
  /**
   * In place of `score`, for one that takes its time.
   * @throws LayerifError `badData` for labels that cannot be told apart
   */
  fitted?(
    observed: Record<N, Tensors>,
    options: OptionValues<R>,
    tools: { model: ObservedShape; random: Random; labels: Labels | null; view?: View | null },
  ): Promise<ScoreNumbers>;
  /** Another score whose table fills in an option, or null; `influence` is that of the result. */
  follows?(options: OptionValues<R>): { score: string; fills: string } | null;
  /** That option. @param values of the other score, one a layer, high where the layer is important */
  chosen?(values: readonly (number | null)[], options: OptionValues<R>): string;
  /** In place of `score`, for one that is made of the other tables of the run. */
  among?(members: readonly Member[], options: OptionValues<R>, tools: { random: Random }): ScoreNumbers;
  /** Of a score that is made of the influence of training samples, with `ofInfluence` in place of `score`. */
  influence?(options: OptionValues<R>): AskedInfluence;
  ofInfluence?(
    influence: SampleInfluence,
    options: OptionValues<R>,
    tools: { model: Pick<ObservedShape, 'layers'>; random: Random },
  ): ScoreNumbers;
  /** One value a layer on texts that are drawn with repeats, for scores that average over texts. */
  drawn?(
    observed: Record<N, Tensors>,
    options: OptionValues<R>,
    tools: { model: ObservedShape; labels: Labels | null },
  ): OfTexts;
}

/** Keeps the types of a score's own options and needs within its file. */
export function defineScore<const R extends OptionRows, N extends string>(score: Score<R, N>): Score {
  return score;
}

/** Of a tensor with one row for each layer. */
export function row({ shape, data }: Tensors[string], layer: number): Float64Array | Float32Array {
  const width = data.length / nth(shape, 0);
  return data.subarray(layer * width, (layer + 1) * width) as Float64Array | Float32Array;
}

export function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += nth(values, i);
  return sum;
}

/** "layers 3, 4 and 7" as far as a sentence can take them. */
export function layerWords(layers: readonly number[]): string {
  const shown = layers.slice(0, 8).join(', ');
  return `${layers.length === 1 ? 'layer' : 'layers'} ${shown}${layers.length > 8 ? ` and ${layers.length - 8} more` : ''}`;
}
