/**
 * Centred kernel alignment of the residual stream at two depths, with linear kernels and the unbiased estimator of HSIC
 * (Song et al. 2012; Nguyen et al., arXiv 2010.15327), which is 0 on average for independent states however few tokens
 * there are:
 *
 *   HSIC(K, L) = [ tr(K L) + (1'K1)(1'L1) / ((n - 1)(n - 2)) - 2 / (n - 2) 1'K L1 ] / (n (n - 3)),   K and L with zero diagonals
 *   CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L))
 *
 * Invariant to rotations and to a common factor, not to other linear maps. A massive activation on one dimension of the
 * first token decides alone, so that the first token of each text is left out by default.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { defineScore, layerWords } from './types.ts';

export const cka = defineScore({
  id: 'cka',
  version: 1,
  title: 'CKA between depths',
  question: 'explain',
  subject: 'layer_pair',
  unit: '',
  higherMeans: null,
  formula: 'unbiased HSIC(X_l, X_m) / sqrt(HSIC(X_l, X_l) HSIC(X_m, X_m)), linear kernels over tokens',
  source: 'Kornblith et al., arXiv 1905.00414; unbiased by Nguyen et al., arXiv 2010.15327',
  status: 'published',
  options: {
    tokens: {
      type: 'number',
      default: 512,
      least: 8,
      most: 8192,
      whole: true,
      words: 'Tokens of all texts that are drawn.',
    },
    seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of the drawing.' },
    skip_first_token: {
      type: 'flag',
      default: true,
      words: 'Leave out the first token of each text, on which some models have massive activations.',
    },
  },
  needs: (options) => ({ tokens: { of: 'token_states', options: { ...options } } }),

  score({ tokens }, _options, { model }) {
    const depths = model.layers + 1;
    const used = tokens.used.data.indexOf(0);
    const n = used < 0 ? tokens.used.data.length : used;
    const labels = Array.from({ length: depths }, (_, depth) => depth);
    const axes = ['depth', 'other depth'].map((name) => ({ name, labels }));
    if (n < 4) {
      return {
        axes,
        values: new Array<null>(depths * depths).fill(null),
        notes: [`${n} tokens are too few: the unbiased estimator needs 4, so nothing is defined`],
      };
    }
    const kernels = labels.map((depth) => kernelOf(tokens.states, depth, n));
    const hsic = labels.map((a) => labels.map((b) => (b < a ? 0 : unbiasedHsic(kernels[a], kernels[b], n))));
    const values = labels.flatMap((a) =>
      labels.map((b) => {
        const scale = hsic[a][a] * hsic[b][b];
        return scale > 0 ? hsic[Math.min(a, b)][Math.max(a, b)] / Math.sqrt(scale) : null;
      }),
    );
    const change = Array.from({ length: model.layers }, (_, layer) => {
      const own = values[layer * depths + layer + 1];
      return own === null ? null : 1 - own;
    });
    const constant = labels.filter((depth) => hsic[depth][depth] <= 0);
    return {
      axes,
      values,
      layers: { values: change, words: '1 - CKA of its input and output' },
      notes: [
        `Depth 0 is the input of the first layer, depth l + 1 the output of layer l; ${n} tokens.`,
        ...(n < 4 * model.hidden
          ? [
              `With ${n} tokens of ${model.hidden} dimensions the estimator is unbiased but scatters; more tokens settle it.`,
            ]
          : []),
        ...(constant.length > 0
          ? [`${layerWords(constant).replace('layer', 'depth')}: all states are alike, so CKA is undefined`]
          : []),
      ],
    };
  },
});

interface Kernel {
  /** n x n, zero diagonal. */
  k: Float64Array;
  rows: Float64Array;
  sum: number;
}

/** Inner products of the tokens' states, less their mean for accuracy: HSIC does not depend on it. */
export function kernelOf({ data, shape }: Tensors[string], depth: number, n: number): Kernel {
  const [, places, hidden] = shape;
  const x = new Float64Array(n * hidden);
  for (let h = 0; h < hidden; h++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += data[(depth * places + i) * hidden + h] / n;
    for (let i = 0; i < n; i++) x[i * hidden + h] = data[(depth * places + i) * hidden + h] - mean;
  }
  const k = new Float64Array(n * n);
  const rows = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let h = 0, a = i * hidden, b = j * hidden; h < hidden; h++) sum += x[a++] * x[b++];
      k[i * n + j] = k[j * n + i] = sum;
      rows[i] += sum;
      rows[j] += sum;
    }
  }
  return { k, rows, sum: rows.reduce((a, b) => a + b, 0) };
}

export function unbiasedHsic(a: Kernel, b: Kernel, n: number): number {
  let [trace, cross] = [0, 0];
  for (let i = 0; i < a.k.length; i++) trace += a.k[i] * b.k[i];
  for (let i = 0; i < n; i++) cross += a.rows[i] * b.rows[i];
  return (trace + (a.sum * b.sum) / ((n - 1) * (n - 2)) - (2 / (n - 2)) * cross) / (n * (n - 3));
}
