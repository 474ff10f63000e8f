/** Losses of the model without each of its layers, by text; see `ablation.ts`. */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { greedyOrder } from '../../scores/greedyOrder.ts';
import type { Activations } from '../sweep/activations.ts';
import type { Batch } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import { throughAblations, variants } from './ablation.ts';
import type { AblationPass } from './ablation.ts';
import { countedTokens } from './logProbabilities.ts';
import type { Reducer } from './types.ts';

export const ablatedLosses: Reducer = {
  id: 'ablated_losses',
  open({ model, tensors, options, texts, headRows }) {
    const { whole, counted } = tensors;
    const pass = { removed: new Set<number>(), parts: options.parts === true };
    return {
      own: {
        rounds: 1,
        run: async (_round, batches, tools) => {
          const states = await throughAblations(model, batches, { ...pass, ...tools });
          const all = variants(model.architecture.layers - 1, pass);
          for (const [i, { without, layer }] of all.entries()) {
            await losses(model, batches, states[i], headRows, (text, loss) => {
              if (without === 'nothing') {
                whole.data[text] += loss;
                counted.data[text]++;
              } else tensors[without].data[layer * texts.length + text] += loss;
            });
          }
          return states;
        },
        reads: firstTexts(options.samples, texts),
      },
    };
  },
};

export const greedyRemoval: Reducer = {
  id: 'greedy_removal',
  open({ model, tensors: { losses: found }, options, texts, headRows }) {
    const { layers } = model.architecture;
    return {
      own: {
        rounds: found.shape[0],
        run: async (round, batches, tools) => {
          const removed = new Set(greedyOrder(found, round).map(({ layer }) => layer));
          const pass: AblationPass = { removed, parts: false, ...tools };
          const states = await throughAblations(model, batches, pass);
          for (const [i, variant] of variants(layers - 1, pass).entries()) {
            if (variant.without === 'nothing') continue;
            await losses(model, batches, states[i], headRows, (text, loss) => {
              found.data[(round * layers + variant.layer) * texts.length + text] += loss;
            });
          }
          return states;
        },
        reads: firstTexts(options.samples, texts),
      },
    };
  },
};

export const removedLosses: Reducer = {
  id: 'removed_losses',
  open({ model, tensors: { whole, counted, without }, options, texts, headRows }) {
    const sets = options.sets as number[][];
    return {
      own: {
        // The whole model first.
        rounds: 1 + sets.length,
        run: async (round, batches, tools) => {
          const removed = new Set(round === 0 ? [] : sets[round - 1]);
          const states = await throughAblations(model, batches, { removed, parts: false, alone: true, ...tools });
          await losses(model, batches, states[0], headRows, (text, loss) => {
            if (round === 0) {
              whole.data[text] += loss;
              counted.data[text]++;
            } else without.data[(round - 1) * texts.length + text] += loss;
          });
          return states;
        },
        reads: firstTexts(options.samples, texts),
      },
    };
  },
};

const firstTexts = (samples: unknown, texts: readonly EncodedSample[]) => (text: number) =>
  text < (Number(samples) || texts.length);

async function losses(
  model: Model,
  batches: readonly Batch[],
  last: Activations,
  headRows: number,
  visit: (text: number, loss: number) => void,
): Promise<void> {
  for (const [b, batch] of batches.entries()) {
    await countedTokens(model, batch, last.at(b)!, headRows, (text, logProbability) => {
      visit(text, -logProbability);
    });
  }
}
