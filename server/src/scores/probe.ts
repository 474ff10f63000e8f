/**
 * Probe: how well a classifier tells the labels of texts from a layer's output, one vector a text. The model is frozen;
 * of the classifier's training texts nothing is measured. With held-out texts it is fitted on the others and measured
 * on them; else in five folds, each measured with what the other four teach.
 *
 * What a linear head cannot tell may be there all the same (the XOR of two features); the head `mlp` finds more, and
 * finds chance regularities too. Pooling, head and the choice of the layer are ours: only the abstract of the source
 * could be read.
 */
import { resample } from '../statistics/bootstrap.ts';
import { accuracy, macroF1 } from '../statistics/classification.ts';
import { rowsAt } from '../statistics/rows.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import {
  classifierOptions,
  deviation,
  fittingOf,
  metricWords,
  predictions,
  splitOf,
  standardisedOf,
} from './crossFitted.ts';
import { defineScore } from './types.ts';

const LEVEL = 0.9;
const REPLICATES = 200;

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
    ...classifierOptions,
  },
  needs: ({ pool }) => ({ states: { of: 'text_states', options: { pool } } }),
  score: () => {
    throw new Error('a probe is fitted');
  },

  async fitted({ states }, options, { model, random, labels }) {
    const { of, heldOut } = labels!;
    const split = splitOf(labels!, options);
    const { measured, metric: chosen } = split;
    const drawn = Array.from({ length: REPLICATES }, () => resample(measured.length, random));
    const depths: { accuracy: number; macroF1: number; replicates: number[] }[] = [];
    for (let depth = 0; depth <= model.layers; depth++) {
      const rows = rowsAt(entry(states, 'states').data, depth, of.length, model.hidden);
      const found = predictions(standardisedOf(rows), fittingOf(split, options, `perceptron ${depth}`));
      depths.push({
        accuracy: accuracy(found, of, measured),
        macroF1: macroF1(found, of, measured, split.classes),
        replicates: drawn.map((places) =>
          split.measure(
            found,
            Array.from(places, (place) => nth(measured, place)),
          ),
        ),
      });
      // A turn of the loop, in which a cancel can arrive.
      await new Promise((turn) => setImmediate(turn));
    }
    const value = (at: (typeof depths)[number]) => (chosen === 'accuracy' ? at.accuracy : at.macroF1);
    const layers = depths.slice(1);
    const values = layers.map(value);
    const errors = layers.map(({ replicates }) => deviation(replicates));
    const best = values.indexOf(Math.max(...values));
    const tied = values.flatMap((own, layer) => (own >= nth(values, best) - nth(errors, best) ? [layer] : []));
    return {
      values,
      parts: {
        accuracy: layers.map((at) => at.accuracy),
        'macro-F1': layers.map((at) => at.macroF1),
        'standard error': errors,
      },
      intervals: layers.map(({ replicates }) => percentileInterval(replicates, LEVEL)),
      level: LEVEL,
      reference: split.reference,
      marks: [
        { at: [best], words: 'best layer' },
        { at: tied, words: 'within one standard error of the best layer' },
      ],
      notes: [
        `${metricWords(split)}; before the first layer ${value(nth(depths, 0)).toFixed(3)}.`,
        split.words,
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
