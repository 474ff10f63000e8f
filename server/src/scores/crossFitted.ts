/**
 * Classifiers of texts' vectors that are measured on texts which they have not seen: held-out ones, or in five folds
 * each by what the other four teach. Columns are standardised by the texts that are fitted on.
 */
import { Random } from '../random/random.ts';
import { accuracy, macroF1, stratifiedFolds } from '../statistics/classification.ts';
import { fitClassifier } from '../statistics/classifier.ts';
import type { Classifier, Rows } from '../statistics/classifier.ts';
import { variance } from '../statistics/moments.ts';
import { scaleOf, standardised } from '../statistics/rows.ts';
import { nth } from '../lists/nth.ts';
import type { Labels, OptionValues } from './types.ts';

const FOLDS = 5;
/** The largest class is so many times the smallest: accuracy would flatter who names the largest alone. */
const UNEQUAL = 1.5;
/** Of a text that is only fitted on, and of one that is left out altogether. */
export const [FITTED, LEFT_OUT] = [-1, -2];

export const classifierOptions = {
  head: {
    type: 'choice',
    default: 'linear',
    choices: ['linear', 'mlp'],
    words: 'Logistic regression, or a perceptron with one hidden layer of 32 units.',
  },
  c: {
    type: 'number',
    default: 1,
    above: 0,
    words: 'Inverse strength of the penalty on the weights, C of scikit-learn.',
  },
  metric: {
    type: 'choice',
    default: 'auto',
    choices: ['auto', 'accuracy', 'macro_f1'],
    words: 'What is measured; auto takes macro-F1 where the largest class is more than 1.5 times the smallest.',
  },
  seed: {
    type: 'number',
    default: 0,
    least: 0,
    whole: true,
    words: 'Of the folds and of the start of the perceptron.',
  },
} as const;

export type ClassifierOptions = OptionValues<typeof classifierOptions>;

/** Which texts are measured, by what, and by which classifiers. */
export interface Split {
  of: Int32Array;
  classes: number;
  /** Of each text; FITTED where it is not measured. */
  fold: Int32Array;
  /** Indices of the texts that are measured. */
  measured: number[];
  /** Of each class, among these. */
  counts: number[];
  unequal: boolean;
  metric: 'accuracy' | 'macro_f1';
  /** Of predicted classes of all texts. */
  measure: (found: ArrayLike<number>, texts: ArrayLike<number>) => number;
  /** Who always names the largest class. */
  reference: { value: number; words: string };
  /** What was measured, in sentences. */
  words: string;
}

export function splitOf({ of, names, heldOut }: Labels, { metric, seed }: ClassifierOptions): Split {
  const classes = names.length;
  const all = Array.from({ length: of.length }, (_, i) => i);
  const fold =
    heldOut > 0
      ? Int32Array.from(all, (i) => (i < of.length - heldOut ? FITTED : 0))
      : stratifiedFolds(of, classes, FOLDS, new Random(seed, 'folds'));
  const measured = all.filter((i) => nth(fold, i) >= 0);
  const counts = names.map((_, k) => measured.filter((i) => of[i] === k).length);
  const unequal = Math.max(...counts) > UNEQUAL * Math.min(...counts);
  const asked = metric === 'auto' ? (unequal ? 'macro_f1' : 'accuracy') : metric;
  const chosen = asked === 'accuracy' ? 'accuracy' : 'macro_f1';
  const most = Math.max(...counts) / measured.length;
  const split =
    heldOut > 0
      ? `measured on ${heldOut} held-out texts, fitted on ${of.length - heldOut}`
      : `${FOLDS} folds with equal shares of the classes`;
  return {
    ...{ of, classes, fold, measured, counts, unequal, metric: chosen },
    measure: (found, texts) =>
      chosen === 'accuracy' ? accuracy(found, of, texts) : macroF1(found, of, texts, classes),
    reference: {
      value: chosen === 'accuracy' ? most : (2 * most) / (1 + most) / classes,
      words: 'who always names the largest class',
    },
    words: `${names.map((name, k) => `${name} ${counts[k]}`).join(', ')} texts; ${split}.`,
  };
}

/** The metric, and why it was taken. */
export function metricWords({ metric, unequal }: Split): string {
  return metric === 'accuracy' ? 'Accuracy' : `Macro-F1${unequal ? ', for the classes are unequal' : ''}`;
}

/** Vectors of texts as a classifier gets them: made of the texts that are fitted on, and of those that are measured. */
export type Features = (train: readonly number[], test: readonly number[]) => { train: Rows; test: Rows };

export interface Fitting {
  of: Int32Array;
  classes: number;
  fold: Int32Array;
  hidden: number;
  C: number;
  random: () => Random;
}

export function fittingOf({ of, classes, fold }: Split, { head, c, seed }: ClassifierOptions, name: string): Fitting {
  const random = () => new Random(seed, name);
  return { of, classes, fold, hidden: head === 'mlp' ? 32 : 0, C: c, random };
}

/** One classifier for each fold, fitted on the texts of the others. */
export function eachFold(
  features: Features,
  { of, classes, fold, hidden, C, random }: Fitting,
  take: (classifier: Classifier, test: Rows, texts: readonly number[]) => void,
): void {
  const all = Array.from(fold, (_, i) => i);
  for (let f = 0; f <= Math.max(...fold); f++) {
    const test = all.filter((i) => fold[i] === f);
    if (test.length === 0) continue;
    const train = all.filter((i) => fold[i] !== f && fold[i] !== LEFT_OUT);
    const rows = features(train, test);
    const labels = train.map((i) => nth(of, i));
    take(fitClassifier(rows.train, labels, { classes, C, hidden, random: random() }), rows.test, test);
  }
}

/** Class of each text by a classifier that has not seen it; -1 where it is not measured. */
export function predictions(features: Features, fitting: Fitting): Int32Array {
  const found = new Int32Array(fitting.fold.length).fill(-1);
  eachFold(features, fitting, (classifier, rows, texts) => {
    const told = classifier.classify(rows);
    texts.forEach((text, place) => (found[text] = nth(told, place)));
  });
  return found;
}

/** Probability of each class for each text, [texts, classes]; 0 where it is not measured. */
export function probabilities(features: Features, fitting: Fitting): Float64Array {
  const { classes } = fitting;
  const found = new Float64Array(fitting.fold.length * classes);
  eachFold(features, fitting, (classifier, rows, texts) => {
    const told = classifier.probabilities(rows);
    texts.forEach((text, place) => {
      found.set(told.subarray(place * classes, (place + 1) * classes), text * classes);
    });
  });
  return found;
}

/** With mean 0 and deviation 1 in every column of the texts that are fitted on. */
export function standardisedOf(rows: Rows): Features {
  return (train, test) => {
    const scale = scaleOf(rows, train);
    return { train: standardised(rows, train, scale), test: standardised(rows, test, scale) };
  };
}

export const deviation = (values: readonly number[]): number => Math.sqrt(variance(values));
