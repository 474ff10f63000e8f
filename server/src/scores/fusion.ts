/**
 * Fusion: whether the vectors of two frozen models together tell the labels of texts better than the better one alone.
 * Each model reads the texts with its own tokenizer, and gives the vectors of its own best layer.
 *
 *   concat    one classifier of both vectors, side by side
 *   mean      one classifier of their mean; of vectors of unequal width the wider ones are brought to as many principal
 *             components of unit variance
 *   weighted  the mean of both classifiers' probabilities, weighted by what does best on other texts (steps of 0.05)
 *
 * The largest gain that any choice between the two could give is that of the oracle, which is right where either is.
 * Layers are chosen by the texts that are measured too, as by `probe`, so that the single models are flattered alike.
 */
import { principalComponents } from '../linear/principalComponents.ts';
import { Random } from '../random/random.ts';
import { resample } from '../statistics/bootstrap.ts';
import { accuracy, macroF1, stratifiedFolds } from '../statistics/classification.ts';
import type { Rows } from '../statistics/classifier.ts';
import { rowsAt } from '../statistics/rows.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import {
  classifierOptions,
  deviation,
  FITTED,
  fittingOf,
  LEFT_OUT,
  metricWords,
  predictions,
  probabilities,
  splitOf,
  standardisedOf,
} from './crossFitted.ts';
import type { ClassifierOptions, Features, Split } from './crossFitted.ts';
import { percent } from './tables.ts';
import { defineScore } from './types.ts';
import type { Labels } from './types.ts';

const LEVEL = 0.9;
const REPLICATES = 200;
const STEPS = 20;
const FOLDS = 5;
/** Bytes of a number of a kept vector. */
const BYTES = 4;

export const fusion = defineScore({
  id: 'fusion',
  version: 1,
  title: 'Fusion of two models',
  question: 'find_information',
  subject: 'model',
  unit: '',
  higherMeans: 'keep',
  formula:
    'accuracy or macro-F1 of classifiers on the best layer of each model, and on both together (concat, mean, weighted)',
  source: 'after Layer-Aware Embedding Fusion, arXiv 2504.05764; pooling, head and operators unconfirmed',
  status: 'ours',
  labelled: 'texts',
  options: {
    second: {
      type: 'text',
      default: '',
      words:
        'The second model: a folder, a .gguf file, an .onnx encoder with its tokenizer.json beside it, or a hub id; it may have another tokenizer and other layers.',
    },
    pool: {
      type: 'choice',
      default: 'last',
      choices: ['last', 'mean'],
      words: 'The vector of a text: of its last token, or the mean over its tokens.',
    },
    second_pool: {
      type: 'choice',
      default: 'mean',
      choices: ['last', 'mean'],
      words: 'The same of the second model; mean for encoders such as BERT, whose last token is no sum of the text.',
    },
    ...classifierOptions,
  },
  needs: ({ pool, second, second_pool }) => ({
    states: { of: 'text_states', options: { pool } },
    others: { of: 'text_states', options: { pool: second_pool }, model: 'second', second },
  }),
  score: () => {
    throw new Error('a fusion is fitted');
  },

  async fitted({ states, others }, options, { random, labels }) {
    const split = splitOf(labels!, options);
    const { of, classes, measured } = split;
    const first = await bestLayer(entry(states, 'states'), split, options);
    const second = await bestLayer(entry(others, 'states'), split, options);
    const both = [first, second] as const;
    const found = new Map<string, { told: Int32Array; width: number; parameters: number }>();
    const parametersOf = (width: number): number =>
      options.head === 'mlp' ? 32 * (width + 1) + 33 * outputs(classes) : outputs(classes) * (width + 1);
    const add = (name: string, told: Int32Array, width: number, parameters = parametersOf(width)): void =>
      void found.set(name, { told, width, parameters });
    add('first model', first.told, first.rows.width);
    add('second model', second.told, second.rows.width);
    const fitted = (features: Features) => predictions(features, fittingOf(split, options, 'fusion'));
    const sum = first.rows.width + second.rows.width;
    add('concat', fitted(sideBySide(both.map(({ rows }) => standardisedOf(rows)))), sum);
    await new Promise((turn) => setImmediate(turn));
    const least = Math.min(first.rows.width, second.rows.width);
    add('mean', fitted(meanOf(both.map(({ rows }) => narrowed(rows, least)))), least);
    await new Promise((turn) => setImmediate(turn));
    const { told, weights } = weighted(both, labels!, split, options);
    add('weighted', told, sum, parametersOf(first.rows.width) + parametersOf(second.rows.width) + 1);

    const classifiers = [...found.values()];
    const values = classifiers.map((one) => split.measure(one.told, measured));
    const drawn = Array.from({ length: REPLICATES }, () => resample(measured.length, random)).map((places) =>
      Array.from(places, (place) => nth(measured, place)),
    );
    const replicates = classifiers.map((one) => drawn.map((texts) => split.measure(one.told, texts)));
    const accuracies = classifiers.map((one) => accuracy(one.told, of, measured));
    const share = (holds: (text: number) => boolean): number => measured.filter(holds).length / measured.length;
    const disagreement = share((i) => first.told[i] !== second.told[i]);
    const oracle = share((i) => first.told[i] === of[i] || second.told[i] === of[i]);
    const best = nth(values, 0) >= nth(values, 1) ? 0 : 1;
    const names = [...found.keys()];
    const gain = (at: number): string => {
      const differences = nth(replicates, at).map((value, i) => value - nth(nth(replicates, best), i));
      const interval = percentileInterval(differences, LEVEL);
      const ends = interval === null ? '' : ` [${interval.map(signed).join(', ')}]`;
      return `${names[at]} ${signed(nth(values, at) - nth(values, best))}${ends}`;
    };
    return {
      axes: [{ name: 'classifier', labels: names }],
      values,
      parts: {
        accuracy: accuracies,
        'macro-F1': classifiers.map((one) => macroF1(one.told, of, measured, classes)),
        'standard error': replicates.map(deviation),
        'numbers a text': classifiers.map(({ width }) => width),
        'bytes of vectors': classifiers.map(({ width }) => width * of.length * BYTES),
        'parameters of the head': classifiers.map(({ parameters }) => parameters),
      },
      intervals: replicates.map((own) => percentileInterval(own, LEVEL)),
      level: LEVEL,
      reference: split.reference,
      notes: [
        `${metricWords(split)}; ${split.words}`,
        `First model: layer ${first.layer} of ${first.layers}; second model: layer ${second.layer} of ${second.layers} (${options.second}); chosen by the same texts.`,
        `The two differ on ${percent(disagreement)} of the texts; either is right on ${percent(oracle)} (oracle), ${(100 * (oracle - Math.max(...accuracies.slice(0, 2)))).toFixed(1)} points above the better one.`,
        `Against the ${names[best]}: ${[2, 3, 4].map(gain).join('; ')} (${100 * LEVEL} % intervals over the measured texts).`,
        `Weights of the first model's probabilities: ${[...new Set(weights)].map((weight) => weight.toFixed(2)).join(', ')}.`,
      ],
    };
  },
});

interface Chosen {
  /** From 0. */
  layer: number;
  layers: number;
  rows: Rows;
  /** Class of each text, by a classifier that has not seen it. */
  told: Int32Array;
}

/** @param states [layers + 1, texts, width] */
async function bestLayer(
  { shape, data }: { shape: readonly number[]; data: ArrayLike<number> },
  split: Split,
  options: ClassifierOptions,
): Promise<Chosen> {
  const [depths, count, width] = take(shape, 3);
  let best: (Chosen & { value: number }) | null = null;
  for (let depth = 1; depth < depths; depth++) {
    const rows = rowsAt(data, depth, count, width);
    const told = predictions(standardisedOf(rows), fittingOf(split, options, `perceptron ${depth}`));
    const value = split.measure(told, split.measured);
    if (best === null || value > best.value) best = { layer: depth - 1, layers: depths - 1, rows, told, value };
    // A turn of the loop, in which a cancel can arrive.
    await new Promise((turn) => setImmediate(turn));
  }
  return best!;
}

/** Columns of several side by side. */
function sideBySide(parts: readonly Features[]): Features {
  const joined = (all: readonly Rows[]): Rows => {
    const width = all.reduce((sum, rows) => sum + rows.width, 0);
    const { count } = nth(all, 0);
    const data = new Float64Array(count * width);
    for (let i = 0, at = 0; i < count; i++)
      for (const rows of all) {
        data.set(rows.data.subarray(i * rows.width, (i + 1) * rows.width), at);
        at += rows.width;
      }
    return { data, count, width };
  };
  return (train, test) => {
    const made = parts.map((features) => features(train, test));
    return { train: joined(made.map((one) => one.train)), test: joined(made.map((one) => one.test)) };
  };
}

function meanOf(parts: readonly Features[]): Features {
  const mean = (all: readonly Rows[]): Rows => {
    const first = nth(all, 0);
    const data = new Float64Array(first.data.length);
    for (const rows of all) rows.data.forEach((x, i) => (data[i] = (data[i] ?? 0) + x / all.length));
    return { ...first, data };
  };
  return (train, test) => {
    const made = parts.map((features) => features(train, test));
    return { train: mean(made.map((one) => one.train)), test: mean(made.map((one) => one.test)) };
  };
}

/**
 * Wider rows as principal components of unit variance; there are fewer than training texts, the other columns are 0.
 * The sign of a component is that of its largest score.
 */
function narrowed(rows: Rows, width: number): Features {
  if (rows.width === width) return standardisedOf(rows);
  return (train, test) => {
    const cells = (texts: readonly number[]): Float64Array => {
      const own = new Float64Array(texts.length * rows.width);
      texts.forEach((i, at) => own.set(rows.data.subarray(i * rows.width, (i + 1) * rows.width), at * rows.width));
      return own;
    };
    const found = principalComponents(cells(train), cells(test), rows.width, width);
    const kept = Math.min(width, found.components, train.length - 1);
    const signs = Array.from({ length: kept }, (_, k) => {
      let largest = 0;
      for (let i = 0; i < train.length; i++) {
        const score = nth(found.train, i * found.components + k);
        if (Math.abs(score) > Math.abs(largest) + 1e-9) largest = score;
      }
      return Math.sign(largest) || 1;
    });
    const spread = (scores: Float64Array, count: number): Rows => {
      const data = new Float64Array(count * width);
      for (let i = 0; i < count; i++)
        for (let k = 0; k < kept; k++) data[i * width + k] = nth(signs, k) * nth(scores, i * found.components + k);
      return { data, count, width };
    };
    return { train: spread(found.train, train.length), test: spread(found.test, test.length) };
  };
}

/**
 * Classes by the weighted mean of probabilities. A weight is chosen on texts that it does not tell: those of the other
 * folds, or where texts are held out the others in five folds.
 */
function weighted(
  both: readonly Chosen[],
  { heldOut }: Labels,
  split: Split,
  options: ClassifierOptions,
): { told: Int32Array; weights: number[] } {
  const { of, classes, fold, measured } = split;
  const byModel = (chosen: Split) =>
    both.map(({ rows }) => probabilities(standardisedOf(rows), fittingOf(chosen, options, 'weighted')));
  const own = byModel(split);
  const inner = heldOut > 0 ? innerFolds(split, options.seed) : fold;
  const choosing = heldOut > 0 ? byModel({ ...split, fold: inner }) : own;
  const all = Array.from(fold, (_, i) => i);
  const told = new Int32Array(of.length).fill(-1);
  const weights: number[] = [];
  for (let f = 0; f <= Math.max(...fold); f++) {
    const texts = measured.filter((i) => fold[i] === f);
    const others = heldOut > 0 ? all.filter((i) => nth(inner, i) >= 0) : measured.filter((i) => fold[i] !== f);
    const weight = bestWeight((w) => split.measure(mixed(choosing, w, classes), others));
    weights.push(weight);
    const found = mixed(own, weight, classes);
    for (const i of texts) told[i] = nth(found, i);
  }
  return { told, weights };
}

/** Folds of the texts that are fitted on; the held-out ones are left out altogether. */
function innerFolds({ of, classes, fold }: Split, seed: number): Int32Array {
  const fitted = Array.from(fold, (_, i) => i).filter((i) => fold[i] === FITTED);
  const own = stratifiedFolds(
    fitted.map((i) => nth(of, i)),
    classes,
    FOLDS,
    new Random(seed, 'inner folds'),
  );
  const inner = new Int32Array(of.length).fill(LEFT_OUT);
  fitted.forEach((i, place) => (inner[i] = nth(own, place)));
  return inner;
}

/** In steps of 0.05; of equal ones that nearest to a half. */
function bestWeight(value: (weight: number) => number): number {
  const weights = Array.from({ length: STEPS + 1 }, (_, step) => step / STEPS);
  weights.sort((a, b) => Math.abs(a - 0.5) - Math.abs(b - 0.5) || a - b);
  const measured = weights.map(value);
  return nth(weights, measured.indexOf(Math.max(...measured)));
}

function mixed(both: readonly Float64Array[], weight: number, classes: number): Int32Array {
  const [first, second] = take(both, 2);
  return Int32Array.from({ length: first.length / classes }, (_, i) => {
    let best = 0;
    const at = (k: number): number =>
      weight * nth(first, i * classes + k) + (1 - weight) * nth(second, i * classes + k);
    for (let k = 1; k < classes; k++) if (at(k) > at(best)) best = k;
    return best;
  });
}

const outputs = (classes: number): number => (classes === 2 ? 1 : classes);
const signed = (value: number): string => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
