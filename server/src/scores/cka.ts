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
import { kernelOf, unbiasedHsic } from '../statistics/hsic.ts';
import { defineScore, layerWords } from './types.ts';
import { entry } from '../lists/entry.ts';
import { nth } from '../lists/nth.ts';

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
    const used = entry(tokens, 'used').data.indexOf(0);
    const n = used < 0 ? entry(tokens, 'used').data.length : used;
    const labels = Array.from({ length: depths }, (_, depth) => depth);
    const axes = ['depth', 'other depth'].map((name) => ({ name, labels }));
    if (n < 4) {
      return {
        axes,
        values: new Array<null>(depths * depths).fill(null),
        notes: [`${n} tokens are too few: the unbiased estimator needs 4, so nothing is defined`],
      };
    }
    const kernels = labels.map((depth) => kernelOf(entry(tokens, 'states'), depth, n));
    const hsic = labels.map((a) => labels.map((b) => (b < a ? 0 : unbiasedHsic(nth(kernels, a), nth(kernels, b), n))));
    const values = labels.flatMap((a) =>
      labels.map((b) => {
        const scale = nth(nth(hsic, a), a) * nth(nth(hsic, b), b);
        return scale > 0 ? nth(nth(hsic, Math.min(a, b)), Math.max(a, b)) / Math.sqrt(scale) : null;
      }),
    );
    const change = Array.from({ length: model.layers }, (_, layer) => {
      const own = nth(values, layer * depths + layer + 1);
      return own === null ? null : 1 - own;
    });
    const constant = labels.filter((depth) => nth(nth(hsic, depth), depth) <= 0);
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
