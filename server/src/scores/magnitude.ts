/**
 * Magnitude: sum of the absolute values (p = 1), or of the squares (p = 2), of the weights of a layer's linear modules.
 * It needs no texts, and says less than it seems: a layer with more weights has more of it, and a factor moves freely
 * between a norm and the matrix behind it.
 */
import { defineScore, layerWords } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

export const magnitude = defineScore({
  id: 'magnitude',
  version: 1,
  title: 'Magnitude of the weights',
  question: 'prune_weights',
  subject: 'layer',
  unit: '',
  higherMeans: 'keep',
  formula: 'sum of |W_ij|^p over the linear modules of a layer, p = 1 or 2',
  source: 'baseline of Shortened LLaMA, arXiv 2402.02834',
  status: 'published',
  options: {
    power: {
      type: 'choice',
      default: 'absolute',
      choices: ['absolute', 'square'],
      words: 'What is added up: absolute values (p = 1) or squares (p = 2).',
    },
    mean: { type: 'flag', default: false, words: 'Divide by the number of weights.' },
  },
  needs: () => ({ sizes: { of: 'weight_sizes', options: {} } }),

  score({ sizes }, { power, mean }, { model }) {
    const parts: Record<string, (number | null)[]> = {};
    const without: number[] = [];
    const values = Array.from({ length: model.layers }, (_, layer) => {
      let [whole, count] = [0, 0];
      for (const { name, rows, columns } of model.modules(layer)) {
        const size = nth(entry(sizes, `${layer}.${name}`).data, power === 'square' ? 1 : 0);
        const part = (parts[name] ??= new Array<number | null>(model.layers).fill(null));
        part[layer] = mean ? size / (rows * columns) : size;
        whole += size;
        count += rows * columns;
      }
      if (count === 0) {
        without.push(layer);
        return null;
      }
      return mean ? whole / count : whole;
    });
    return { values, parts, notes: without.length > 0 ? [`${layerWords(without)}: no linear module`] : [] };
  },
});
