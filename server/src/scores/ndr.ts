/**
 * Noise detection rate by layer: of the training samples with the lowest influence of a layer, how many are
 * mislabelled? By chance as many as among all. It tells which layers' influence to trust when data are cleaned, without
 * training anything. Which samples are mislabelled is known from a column, or because their labels were changed on
 * purpose in an influence run of its own.
 */
import { resample } from '../statistics/bootstrap.ts';
import { percentileInterval } from '../statistics/intervals.ts';
import { noiseDetection } from '../statistics/noiseDetection.ts';
import { ranks } from '../statistics/rankCorrelation.ts';
import { defineScore, layerWords } from './types.ts';
import { nth } from '../lists/nth.ts';

const LEVEL = 0.9;
const REPLICATES = 200;

export const ndr = defineScore({
  id: 'ndr',
  version: 1,
  title: 'Noise detection rate of influence',
  question: 'trust_data',
  subject: 'layer',
  unit: '',
  higherMeans: null,
  formula: 'share of mislabelled samples among those with the lowest influence of the layer',
  source: 'arXiv 2511.04715; order of equal values and AUC unconfirmed',
  status: 'published',
  options: {
    share: {
      type: 'number',
      default: 0.3,
      above: 0,
      most: 1,
      words: 'Of the training samples, the share with the lowest influence that is looked at.',
    },
    noisy: {
      type: 'text',
      default: '',
      words: 'Column or template that marks mislabelled training samples (true, yes, 1); default: the column noisy.',
    },
    flips: {
      type: 'number',
      default: 0,
      least: 0,
      most: 0.9,
      words:
        'Share of the training samples whose labels are changed to another choice, in an influence run of its own; 0: none, a column tells.',
    },
    seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of which labels are changed, and to what.' },
    task: { type: 'text', default: '', words: 'Task of the experiment; default: the first.' },
  },
  needs: () => ({}),
  score: () => {
    throw new Error('NDR is made of influence');
  },
  influence: ({ noisy, flips, seed, task }) => ({
    task,
    noisy,
    noise: flips > 0 ? { share: flips, seed } : null,
  }),

  ofInfluence({ values: influence, layers, noisy, estimator }, { share }, { model, random }) {
    const found = layers.map((_, at) => noiseDetection(nth(influence, at), noisy, share));
    const count = noisy.length;
    const drawn = Array.from({ length: REPLICATES }, () => resample(count, random));
    const places = new Map(layers.map((layer, at) => [layer, at]));
    const byLayer = <T>(of: (at: number) => T) =>
      Array.from({ length: model.layers }, (_, layer) => {
        const at = places.get(layer);
        return at === undefined ? null : of(at);
      });
    const rate = (values: ArrayLike<number>) => noiseDetection(values, noisy, share);
    const over = (of: (at: number) => ArrayLike<number>) =>
      Float64Array.from({ length: count }, (_, i) => layers.reduce((sum, _layer, at) => sum + nth(of(at), i), 0));
    const combined = [
      { words: 'the sum over the layers', ...rate(over((at) => nth(influence, at))) },
      { words: 'the mean rank over the layers', ...rate(over((at) => ranks(nth(influence, at)))) },
    ];
    const best = found.reduce((most, { rate: own }, at) => (own > nth(found, most).rate ? at : most), 0);
    const { chance, lowest } = nth(found, 0);
    const absent = byLayer(() => 0).flatMap((value, layer) => (value === null ? [layer] : []));
    return {
      values: byLayer((at) => nth(found, at).rate),
      parts: { AUC: byLayer((at) => nth(found, at).auc), recall: byLayer((at) => nth(found, at).recall) },
      intervals: byLayer((at) =>
        percentileInterval(
          drawn.map((samples) => {
            const own = Array.from(samples, (i) => nth(nth(influence, at), i));
            return noiseDetection(
              own,
              Array.from(samples, (i) => nth(noisy, i)),
              share,
            ).rate;
          }),
          LEVEL,
        ),
      ),
      level: LEVEL,
      reference: { value: chance, words: 'a random order: mislabelled samples among all' },
      marks: [{ at: [nth(layers, best)], words: 'finds most' }],
      notes: [
        `${noisy.filter(Boolean).length} of ${count} training samples are mislabelled; the ${lowest} with the lowest influence (${estimator}) are looked at. AUC is 0.5 by chance.`,
        combined.map(({ words, rate: own, auc }) => `${words}: ${own.toFixed(3)}, AUC ${auc!.toFixed(3)}`).join('; '),
        'That one layer is the best of many is partly luck: compare intervals, or other seeds of flips.',
        ...(absent.length > 0 ? [`${layerWords(absent)}: not scored, so the value is undefined`] : []),
      ],
    };
  },
});
