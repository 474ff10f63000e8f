/**
 * Logit lens: what the final norm and the head make of the residual stream before its end. Of a layer, how much its
 * contribution lowers the cross-entropy of the true next token; negative where the head understands the stream less
 * behind it. Behind the last layer it is the loss.
 *
 * It reads drawn tokens, for it costs a run of the head at every depth: layers + 2 runs for each token.
 */
import { allTexts, textIntervals } from './drawnTexts.ts';
import type { Tensors } from '../../../protocol/scores.ts';
import { defineScore, layerWords, row, total } from './types.ts';
import type { OfTexts } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';
import { take } from '../lists/take.ts';
import { sumAt } from '../linear/vectors.ts';

export const logitLens = defineScore({
  id: 'logit_lens',
  version: 1,
  title: 'Logit lens, gain of a layer',
  question: 'explain',
  subject: 'layer',
  unit: 'nats',
  higherMeans: 'keep',
  formula: 'cross-entropy of head(norm(X_l)) - cross-entropy of head(norm(X_l+1))',
  source: 'nostalgebraist 2020; Belrose et al., arXiv 2303.08112',
  status: 'published',
  options: {
    tokens: {
      type: 'number',
      default: 256,
      least: 1,
      most: 16384,
      whole: true,
      words: 'Counted tokens of all texts that are drawn; each costs a run of the head for every layer.',
    },
    seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of the drawing.' },
  },
  needs: ({ tokens, seed }) => ({ lens: { of: 'logit_lens', options: { tokens, seed } } }),
  drawn: ({ lens }, _options, { model }) => gains(lens, model.texts),

  score({ lens }, _options, { model, random }) {
    const used = total(entry(lens, 'used').data);
    const ofTexts = gains(lens, model.texts);
    const values = ofTexts(allTexts(model.texts));
    const depths = Array.from({ length: model.layers + 1 }, (_, depth) => depth);
    const mean = (name: string) =>
      depths.map((depth) => (used === 0 ? null : total(row(entry(lens, name), depth)) / used));
    const entropy = mean('crossEntropy');
    const behind = (all: (number | null)[]) => all.slice(1);
    return {
      values,
      parts: {
        'cross-entropy': behind(entropy),
        'divergence from the last': behind(mean('divergence')),
        'same top token': behind(mean('agreement')),
      },
      ...textIntervals(ofTexts, model.texts, random),
      notes:
        used === 0
          ? [`${layerWords(depths.slice(1).map((depth) => depth - 1))}: no token is counted, so the value is undefined`]
          : [
              `Parts stand behind the layer. Before the first layer the cross-entropy is ${entropy[0]!.toFixed(3)} nats; behind the last it is the loss of the model, ${entropy[model.layers]!.toFixed(3)}.`,
              `${used} tokens, ${(model.layers + 2) * used} rows of the head.`,
            ],
    };
  },
});

function gains(lens: Tensors, texts: number): OfTexts {
  const { shape, data: losses } = entry(lens, 'crossEntropy');
  const [depths, places] = take(shape, 2);
  const used = entry(lens, 'used').data;
  const textOf = entry(lens, 'text').data;
  const counts = new Float64Array(texts);
  const sums = Array.from({ length: depths }, () => new Float64Array(texts));
  for (let place = 0; place < places; place++) {
    if (used[place] === 0) continue;
    const text = nth(textOf, place);
    counts[text] = nth(counts, text) + 1;
    for (const [depth, own] of sums.entries()) own[text] = nth(own, text) + nth(losses, depth * places + place);
  }
  return (chosen) => {
    const count = sumAt(counts, chosen);
    const entropy = sums.map((own) => sumAt(own, chosen) / count);
    return entropy.slice(1).map((value, layer) => (count === 0 ? null : nth(entropy, layer) - value));
  };
}
