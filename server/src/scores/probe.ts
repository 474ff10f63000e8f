/**
 * Probe: how well a classifier tells the labels of texts from a layer's output, one vector a text. The model is frozen;
 * of the classifier's training texts nothing is measured. With held-out texts it is fitted on the others and measured
 * on them; else in five folds, each measured with what the other four teach.
 *
 * What a linear head cannot tell may be there all the same (the XOR of two features); the head `mlp` finds more, and
 * finds chance regularities too. Pooling, head and the choice of the layer are ours: only the abstract of the source
 * could be read.
 */
import { Random } from '../random/random.ts';
import { resample } from '../statistics/bootstrap.ts';
import { accuracy, macroF1, stratifiedFolds } from '../statistics/classification.ts';
import { fitClassifier } from '../statistics/classifier.ts';
import type { Rows } from '../statistics/classifier.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { defineScore } from './types.ts';
import type { Labels } from './types.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
const FOLDS = 5;
/** The largest class is so many times the smallest: accuracy would flatter who names the largest alone. */
const UNEQUAL = 1.5;

export const probe = defineScore({
  id: 'probe',
  version: 1,
  title: 'Probe on labels',
  question: 'find_information',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula:
    'accuracy or macro-F1 of a classifier on the standardised output of the layer, on texts that it has not seen',
  source: 'after Layer-Aware Embedding Fusion, arXiv 2504.05764; pooling and head unconfirmed',
  status: 'ours',
  labelled: 'texts',
  options: {
    pool: {
      type: 'choice',
      default: 'last',
      choices: ['last', 'mean'],
      words: 'The vector of a text: of its last token, which alone has seen all of it, or the mean over its tokens.',
    },
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
  },
  needs: ({ pool }) => ({ states: { of: 'text_states', options: { pool } } }),
  score: () => {
    throw new Error('a probe is fitted');
  },

  async fitted({ states }, { head, c, metric, seed }, { model, random, labels }) {
    const { of, names, heldOut } = labels!;
    const classes = names.length;
    const all = Array.from({ length: of.length }, (_, i) => i);
    const fold =
      heldOut > 0
        ? Int32Array.from(all, (i) => (i < of.length - heldOut ? -1 : 0))
        : stratifiedFolds(of, classes, FOLDS, new Random(seed, 'folds'));
    const measured = all.filter((i) => fold[i] >= 0);
    const counts = names.map((_, k) => measured.filter((i) => of[i] === k).length);
    const unequal = Math.max(...counts) > UNEQUAL * Math.min(...counts);
    const chosen = metric === 'auto' ? (unequal ? 'macro_f1' : 'accuracy') : metric;
    const drawn = Array.from({ length: REPLICATES }, () => resample(measured.length, random));
    const depths: { accuracy: number; macroF1: number; replicates: number[] }[] = [];
    for (let depth = 0; depth <= model.layers; depth++) {
      const rows = rowsOf(states.states.data, depth, of.length, model.hidden);
      const found = predictions(
        rows,
        { of, classes, fold, hidden: head === 'mlp' ? 32 : 0, C: c },
        () => new Random(seed, `perceptron ${depth}`),
      );
      const measure = (chosenRows: ArrayLike<number>) =>
        chosen === 'accuracy' ? accuracy(found, of, chosenRows) : macroF1(found, of, chosenRows, classes);
      depths.push({
        accuracy: accuracy(found, of, measured),
        macroF1: macroF1(found, of, measured, classes),
        replicates: drawn.map((places) => measure(Array.from(places, (place) => measured[place]))),
      });
      // A turn of the loop, in which a cancel can arrive.
      await new Promise((turn) => setImmediate(turn));
    }
    const value = (at: (typeof depths)[number]) => (chosen === 'accuracy' ? at.accuracy : at.macroF1);
    const layers = depths.slice(1);
    const values = layers.map(value);
    const errors = layers.map(({ replicates }) => deviation(replicates));
    const best = values.indexOf(Math.max(...values));
    const tied = values.flatMap((own, layer) => (own >= values[best] - errors[best] ? [layer] : []));
    const most = Math.max(...counts) / measured.length;
    return {
      values,
      parts: {
        accuracy: layers.map((at) => at.accuracy),
        'macro-F1': layers.map((at) => at.macroF1),
        'standard error': errors,
      },
      intervals: layers.map(({ replicates }) => percentileInterval(replicates, LEVEL)),
      level: LEVEL,
      reference: {
        value: chosen === 'accuracy' ? most : (2 * most) / (1 + most) / classes,
        words: 'who always names the largest class',
      },
      marks: [
        { at: [best], words: 'best layer' },
        { at: tied, words: 'within one standard error of the best layer' },
      ],
      notes: [
        `${chosen === 'accuracy' ? 'Accuracy' : `Macro-F1${unequal ? ', for the classes are unequal' : ''}`}; before the first layer ${value(depths[0]).toFixed(3)}.`,
        `${names.map((name, k) => `${name} ${counts[k]}`).join(', ')} texts; ${
          heldOut > 0
            ? `measured on ${heldOut} held-out texts, fitted on ${of.length - heldOut}`
            : `${FOLDS} folds with equal shares of the classes`
        }.`,
        'Intervals draw the measured texts again and do not fit again.',
        ...(of.length - heldOut < model.hidden
          ? [
              `Fewer texts than dimensions (${of.length - heldOut} and ${model.hidden}): the training texts are told without fault whatever they hold; compare with the reference.`,
            ]
          : []),
      ],
    };
  },
});

function rowsOf(data: ArrayLike<number>, depth: number, count: number, width: number): Rows {
  const own = new Float64Array(count * width);
  for (let i = 0; i < own.length; i++) own[i] = data[depth * count * width + i];
  return { data: own, count, width };
}

/**
 * Class of each row, told by a classifier that was fitted on the rows of other folds; rows of fold -1 are fitted on
 * alone.
 */
function predictions(
  rows: Rows,
  { of, classes, fold, hidden, C }: { of: Labels['of']; classes: number; fold: Int32Array; hidden: number; C: number },
  random: () => Random,
): Int32Array {
  const found = new Int32Array(rows.count).fill(-1);
  for (let f = 0; f <= Math.max(...fold); f++) {
    const train = Array.from(fold, (_, i) => i).filter((i) => fold[i] !== f);
    const test = Array.from(fold, (_, i) => i).filter((i) => fold[i] === f);
    if (test.length === 0) continue;
    const scale = scaleOf(rows, train);
    const classifier = fitClassifier(
      standardised(rows, train, scale),
      train.map((i) => of[i]),
      { classes, C, hidden, random: random() },
    );
    const told = classifier.classify(standardised(rows, test, scale));
    test.forEach((i, place) => (found[i] = told[place]));
  }
  return found;
}

/** Mean and standard deviation of each column over some rows. */
function scaleOf({ data, width }: Rows, rows: readonly number[]) {
  const mean = new Float64Array(width);
  const spread = new Float64Array(width);
  for (const i of rows) for (let j = 0; j < width; j++) mean[j] += data[i * width + j] / rows.length;
  for (const i of rows) for (let j = 0; j < width; j++) spread[j] += (data[i * width + j] - mean[j]) ** 2 / rows.length;
  for (let j = 0; j < width; j++) spread[j] = Math.sqrt(spread[j]) + 1e-6;
  return { mean, spread };
}

function standardised(
  { data, width }: Rows,
  rows: readonly number[],
  { mean, spread }: ReturnType<typeof scaleOf>,
): Rows {
  const own = new Float64Array(rows.length * width);
  rows.forEach((i, at) => {
    for (let j = 0; j < width; j++) own[at * width + j] = (data[i * width + j] - mean[j]) / spread[j];
  });
  return { data: own, count: rows.length, width };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
