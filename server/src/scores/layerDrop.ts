/**
 * Layer drop: how much the logarithm of the perplexity rises when a layer gives back its input. It is measured, not
 * estimated, and so what every other answer to "which blocks can go" is judged by (Shortened LLaMA ranks by the
 * perplexity itself, which is the same order). One layer at a time; several together may do more harm than their sum,
 * which the greedy removal tells.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { allTexts, textIntervals } from './drawnTexts.ts';
import { greedyOrder } from './greedyOrder.ts';
import { subBlockOf } from './subBlocks.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import type { OfTexts, ScoreNeed } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { sumAt } from '../linear/vectors.ts';

export const layerDrop = defineScore({
  id: 'layer_drop',
  version: 1,
  title: 'Layer drop',
  question: 'remove_block',
  subject: 'layer',
  unit: 'nats',
  higherMeans: 'keep',
  formula: 'ln perplexity without the layer - ln perplexity',
  source: 'Shortened LLaMA, arXiv 2402.02834',
  status: 'published',
  options: {
    samples: {
      type: 'number',
      default: 32,
      least: 0,
      whole: true,
      words:
        'The first texts, so many, are read, for it costs half as many forward passes as the model has layers; 0 means all.',
    },
    parts: {
      type: 'flag',
      default: false,
      words: 'Leave out the attention alone and the MLP alone of each layer too; three times the time.',
    },
    greedy: {
      type: 'number',
      default: 0,
      least: 0,
      whole: true,
      words:
        'Layers that are left out one after the other, each time the one that hurts least without those before; each costs as much as the score itself.',
    },
  },
  needs: ({ samples, parts, greedy }, model): Record<string, ScoreNeed> => ({
    losses: { of: 'ablated_losses', options: { samples, parts } },
    ...(greedy > 0 && model.layers > 1
      ? { removal: { of: 'greedy_removal', options: { samples, rounds: greedy } } }
      : {}),
  }),
  drawn: (observed) => rises(entry(observed, 'losses'), 'block'),

  score(observed, { parts, samples }, { model, random }) {
    const losses = entry(observed, 'losses');
    const removal = Object.hasOwn(observed, 'removal') ? observed.removal : null;
    const count = total(entry(losses, 'counted').data);
    const all = allTexts(model.texts);
    const ofTexts = rises(losses, 'block');
    const values = ofTexts(all);
    const layers = values.map((_, layer) => layer);
    const base = total(entry(losses, 'whole').data) / count;
    const perplexity = (rise: number | null) => (rise === null ? null : Math.exp(base + rise));
    // A family whose halves end in modules of other names has no such variants.
    const halves = (['attention', 'mlp'] as const).filter((half) => parts && hasHalf(model, half));
    const order = removal ? greedyOrder(entry(removal, 'losses')) : [];
    const place = layers.map((layer) => {
      const at = order.findIndex((step) => step.layer === layer);
      return at < 0 ? null : at + 1;
    });
    const better = layers.filter((layer) => (values[layer] ?? 0) < 0);
    const read = all.filter((text) => nth(entry(losses, 'counted').data, text) > 0).length;
    return {
      values,
      parts: {
        perplexity: values.map(perplexity),
        ...Object.fromEntries(
          halves.map((half) => [`without its ${half === 'mlp' ? 'MLP' : half}`, rises(losses, half)(all)]),
        ),
        ...(order.length > 0 ? { 'place in the greedy removal': place } : {}),
      },
      ...textIntervals((texts) => ofTexts(texts), model.texts, random),
      ...(better.length > 0 ? { marks: [{ at: better, words: 'the texts are more probable without it' }] } : {}),
      notes: [
        ...(count > 0
          ? [`Perplexity of the whole model ${Math.exp(base).toFixed(2)} on ${count} tokens.`]
          : ['No token is counted, so nothing is defined.']),
        ...(samples > 0 && samples < model.texts
          ? [`Measured on the first ${read} of ${model.texts} texts (option samples).`]
          : []),
        ...order.map(({ layer, loss }, i) => {
          const also = order
            .slice(0, i)
            .map((step) => step.layer)
            .sort((a, b) => a - b);
          return `Greedy removal ${i + 1}: layer ${layer}${also.length > 0 ? `, without ${layerWords(also)} already` : ''}; perplexity ${Math.exp(loss / count).toFixed(2)}.`;
        }),
        ...(parts && halves.length < 2
          ? ['The modules that end attention and MLP of this family are not known by name: those parts are left out.']
          : []),
      ],
    };
  },
});

const hasHalf = (model: { layers: number; modules: (layer: number) => readonly { name: string }[] }, half: string) =>
  Array.from({ length: model.layers }, (_, layer) => layer).every((layer) =>
    model.modules(layer).some(({ name }) => subBlockOf(name) === half),
  );

/** Rise of the mean loss of the counted tokens, by layer. */
function rises(losses: Tensors, without: string): OfTexts {
  const whole = entry(losses, 'whole').data;
  const counted = entry(losses, 'counted').data;
  const left = entry(losses, without);
  return (texts) => {
    const base = sumAt(whole, texts);
    const count = sumAt(counted, texts);
    return Array.from({ length: nth(left.shape, 0) }, (_, layer) => {
      const sum = sumAt(row(left, layer), texts);
      return count === 0 ? null : (sum - base) / count;
    });
  };
}
