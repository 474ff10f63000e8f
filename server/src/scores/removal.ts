/**
 * Removal: the perplexity without several layers at once, which is what removing them by any score does. `layer_drop`
 * leaves out one at a time; several together may do more harm than their sum. Beside it random sets of as many layers:
 * a choice that is no better than they are tells nothing.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { Tensors } from '../../../protocol/scores.ts';
import { Random } from '../random/random.ts';
import { allTexts, textIntervals } from './drawnTexts.ts';
import { layerList, readLayers } from './layerList.ts';
import { defineScore, row, total } from './types.ts';
import type { OfTexts } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const removal = defineScore({
  id: 'removal',
  version: 1,
  title: 'Several layers left out',
  question: 'remove_block',
  subject: 'model',
  unit: 'nats',
  higherMeans: null,
  formula: 'ln perplexity without the layers - ln perplexity',
  source: 'measured; beside random sets of as many layers',
  status: 'ours',
  options: {
    layers: { type: 'text', default: '', words: 'Layers that are left out together, such as "3, 8-10".' },
    by: {
      type: 'text',
      default: '',
      words:
        'In place of `layers`: a layer score, or `influence`; the layers that it speaks least for keeping are left out.',
    },
    share: {
      type: 'number',
      default: 0.25,
      above: 0,
      most: 0.9,
      words: 'With `by`: share of the layers, rounded down, at least one.',
    },
    random: {
      type: 'number',
      default: 8,
      least: 0,
      most: 1000,
      whole: true,
      words: 'Random sets of as many layers that are measured beside it; each costs a forward pass.',
    },
    samples: { type: 'number', default: 32, least: 0, whole: true, words: 'The first texts are read; 0 means all.' },
  },
  follows: ({ layers, by }) => {
    if (layers.trim() !== '') return null;
    if (by !== '') return { score: by, fills: 'layers' };
    throw new LayerifError(
      'badRequest',
      'score removal leaves out the layers that it is told: set removal.layers, such as "3, 8-10", or removal.by to a score',
    );
  },
  chosen: (values, { share }) => {
    const known = values.flatMap((value, layer) => (value === null ? [] : [layer]));
    const order = known.sort((a, b) => values[a]! - values[b]! || a - b);
    const count = Math.max(1, Math.floor(share * values.length));
    return layerList(order.slice(0, count).sort((a, b) => a - b));
  },
  needs({ layers, random, samples }, model) {
    // Not chosen yet by the score that it follows.
    const own = layers.trim() === '' ? null : readLayers(layers, model.layers, 'removal.layers');
    const of = (sets: number[][]) => ({ of: 'removed_losses' as const, options: { samples, sets } });
    return { losses: of(own ? [own] : []), others: of(own ? randomSets(own, model.layers, random) : []) };
  },

  score({ losses, others }, { layers, by, samples }, { model, random }) {
    const own = readLayers(layers, model.layers, 'removal.layers');
    const all = allTexts(model.texts);
    const count = total(entry(losses, 'counted').data);
    const base = total(entry(losses, 'whole').data) / count;
    const riseOf = (of: Tensors, set: number): OfTexts => {
      const without = row(entry(of, 'without'), set);
      return (texts) => {
        let [rise, tokens] = [0, 0];
        for (let i = 0; i < texts.length; i++) {
          rise += nth(without, nth(texts, i)) - nth(entry(losses, 'whole').data, nth(texts, i));
          tokens += nth(entry(losses, 'counted').data, nth(texts, i));
        }
        return [tokens === 0 ? null : rise / tokens];
      };
    };
    const value = nth(riseOf(losses, 0)(all), 0);
    const randomRises = Array.from({ length: nth(entry(others, 'without').shape, 0) }, (_, i) =>
      nth(riseOf(others, i)(all), 0),
    ).filter((rise) => rise !== null);
    const mean = randomRises.length === 0 ? null : total(randomRises) / randomRises.length;
    const perplexity = (rise: number) => Math.exp(base + rise).toPrecision(4);
    const sorted = [...randomRises].sort((a, b) => a - b);
    return {
      axes: [{ name: 'left out', labels: [layerList(own)] }],
      values: [value],
      parts: { perplexity: [value === null ? null : Math.exp(base + value)], layers: [own.length] },
      ...textIntervals(riseOf(losses, 0), model.texts, random),
      ...(mean === null || value === null
        ? {}
        : {
            reference: { value: mean, words: `mean of ${randomRises.length} random sets of as many layers` },
            p: [(1 + randomRises.filter((rise) => rise <= value).length) / (1 + randomRises.length)],
          }),
      notes: [
        ...(by === '' ? [] : [`The ${own.length} layers that ${by} speaks least for keeping.`]),
        ...(count > 0
          ? [`Perplexity of the whole model ${Math.exp(base).toFixed(2)} on ${count} tokens.`]
          : ['No token is counted, so nothing is defined.']),
        ...(sorted.length > 0
          ? [
              `Random sets of ${own.length} layers: perplexity ${perplexity(nth(sorted, 0))} to ${perplexity(sorted.at(-1)!)}. p: share of random sets, this one counted, that do no more harm.`,
            ]
          : []),
        ...(samples > 0 && samples < model.texts
          ? [`Measured on the first ${samples} of ${model.texts} texts (option samples).`]
          : []),
      ],
    };
  },
});

/** Other sets of as many layers; the same for the same number of layers. */
function randomSets(own: readonly number[], layers: number, count: number): number[][] {
  const random = new Random(0, `removal of ${own.length}`);
  return Array.from({ length: own.length < layers ? count : 0 }, () =>
    [...random.subset(layers, own.length)].sort((a, b) => a - b),
  );
}
