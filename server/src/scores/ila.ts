/**
 * ILA: which modules' changes by fine-tuning matter. One mask value gamma = sigmoid(s) for the change of each linear
 * module is learned so that the loss stays low; modules are ranked by s, layers by the mean of their modules. Without a
 * penalty s hardly moves from its common start, so ranks come from small differences: three seeds, which draw the texts
 * of a step in other orders, tell how far to trust them.
 */
import { ranks, spearman } from '../statistics/rankCorrelation.ts';
import { layersOf, partsOf } from './byModule.ts';
import { defineScore, layerWords } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

/** Of the layers that the freeze and the tune list take. */
const QUARTER = 0.25;

export const ila = defineScore({
  id: 'ila',
  version: 1,
  title: 'ILA, mask on the changes of fine-tuning',
  question: 'place_adapters',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 's of a learned mask sigmoid(s) on the change of each linear module, mean over modules and seeds',
  source: 'ILA, arXiv 2410.17875; settings of the mask unconfirmed',
  status: 'ours',
  options: {
    tuned: {
      type: 'text',
      default: '',
      words: 'Checkpoint that the changes lead to, relative to the experiment file; without it those of model.adapter.',
    },
    steps: { type: 'number', default: 128, least: 1, whole: true, words: 'Steps of Adam.' },
    batch: { type: 'number', default: 32, least: 1, whole: true, words: 'Texts of a step.' },
    learning_rate: { type: 'number', default: 0.01, above: 0, words: 'Of Adam.' },
    penalty: {
      type: 'number',
      default: 0,
      least: 0,
      words: 'Added to the loss for each unit of gamma; 0.001 separates ranks.',
    },
    start: { type: 'number', default: 4, words: 's before the first step; 4 keeps 98 % of each change.' },
    seeds: {
      type: 'number',
      default: 3,
      least: 1,
      most: 16,
      whole: true,
      words: 'How many times the mask is learned.',
    },
  },
  needs: (options) => ({ masks: { of: 'delta_masks', options: { ...options } } }),

  score({ masks }, { seeds, steps }, { model }) {
    const layers = layersOf(model);
    const changed = (layer: number, module: string) => entry(masks, `changed/${layer}.${module}`).data[0] === 1;
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const s = (layer: number, module: string) => Array.from(entry(masks, `s/${layer}.${module}`).data);
    const ofModule = (layer: number, module: string) => (changed(layer, module) ? mean(s(layer, module)) : null);
    const units = layers.flatMap((layer) =>
      model.modules(layer).flatMap(({ name }) => (changed(layer, name) ? [{ layer, name, own: s(layer, name) }] : [])),
    );
    const values = layers.map((layer) => {
      const own = units.filter((unit) => unit.layer === layer);
      return own.length === 0 ? null : mean(own.map((unit) => mean(unit.own)));
    });
    const still = layers.filter((layer) => values[layer] === null);
    const order = layers.filter((layer) => values[layer] !== null).sort((a, b) => values[b]! - values[a]!);
    const quarter = Math.floor(QUARTER * order.length);
    const pairs = Array.from({ length: seeds }, (_, a) => Array.from({ length: a }, (__, b) => [a, b] as const)).flat();
    const alike = pairs.map(([a, b]) =>
      spearman(
        units.map(({ own }) => nth(own, a)),
        units.map(({ own }) => nth(own, b)),
      ),
    );
    const losses = entry(masks, 'loss').data;
    const [none, full] = Array.from(entry(masks, 'ends').data, (loss) => loss.toFixed(4));
    const last = Array.from({ length: seeds }, (_, seed) => nth(losses, seed * steps + steps - 1));
    const sigmoid = (value: number | null) => (value === null ? null : 1 / (1 + Math.exp(-value)));
    const ranked = ranks(units.map(({ own }) => -mean(own)));
    return {
      values,
      parts: {
        ...partsOf(model, ofModule),
        gamma: values.map(sigmoid),
        'mean rank of the modules': layers.map((layer) => {
          const own = units.flatMap((unit, k) => (unit.layer === layer ? [nth(ranked, k)] : []));
          return own.length === 0 ? null : mean(own);
        }),
      },
      ...(quarter > 0
        ? {
            marks: [
              { at: order.slice(0, quarter).sort((a, b) => a - b), words: 'highest quarter: tune these' },
              { at: order.slice(-quarter).sort((a, b) => a - b), words: 'lowest quarter: freeze these' },
            ],
          }
        : {}),
      notes: [
        `loss ${none} with none of the changes, ${full} with all of them, ${last.map((loss) => loss.toFixed(4)).join(', ')} on the texts of the last step`,
        ...(alike.length > 0
          ? [
              `Spearman of the modules between seeds: ${alike.map((value) => (value === null ? 'undefined' : value.toFixed(2))).join(', ')}`,
            ]
          : ['one seed alone does not tell how far the order can be trusted']),
        ...(still.length > 0 ? [`${layerWords(still)}: no change to mask, so the value is undefined`] : []),
      ],
    };
  },
});
