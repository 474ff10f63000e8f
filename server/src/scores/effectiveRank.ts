/**
 * Effective rank of the residual stream behind each layer: how many directions its states fill, by the entropy of the
 * singular values s of the matrix Z of states, tokens x hidden:
 *
 *   p_k = s_k / Σ s + ε      rank = exp(-Σ p_k ln p_k), between 1 and min(tokens, hidden)
 *
 * Roy and Vetterli (EUSIPCO 2007) with ε = 0; RankMe (Garrido et al., arXiv 2210.02410) with ε = 1e-7. Z is not
 * centred, as there; a massive activation on the first token of a text would fill one direction alone, so that it is
 * left out by default. Drawn like the tokens of `cka`, so that both are read from one observation.
 */
import type { Tensors } from '../../../protocol/scores.ts';
import { squaredSingularValues } from '../linear/eigenvalues.ts';
import { marchenkoPastur } from '../statistics/marchenkoPastur.ts';
import { entry } from '../lists/entry.ts';
import { defineScore, layerWords, total } from './types.ts';

export const effectiveRank = defineScore({
  id: 'effective_rank',
  version: 1,
  title: 'Effective rank of the states (RankMe)',
  question: 'explain',
  subject: 'layer',
  unit: 'directions',
  higherMeans: null,
  formula: 'exp(-sum of p ln p), p = s / sum of s + epsilon, s the singular values of the states, tokens x hidden',
  source: 'Roy and Vetterli, EUSIPCO 2007; RankMe, arXiv 2210.02410',
  status: 'published',
  options: {
    tokens: {
      type: 'number',
      default: 512,
      least: 8,
      most: 8192,
      whole: true,
      words: 'Tokens of all texts that are drawn; the rank is at most their number.',
    },
    seed: { type: 'number', default: 0, least: 0, whole: true, words: 'Of the drawing.' },
    skip_first_token: {
      type: 'flag',
      default: true,
      words: 'Leave out the first token of each text, on which some models have massive activations.',
    },
    epsilon: { type: 'number', default: 1e-7, least: 0, words: 'Added to each share; 1e-7 in RankMe.' },
  },
  needs: ({ tokens, seed, skip_first_token }) => ({
    tokens: { of: 'token_states', options: { tokens, seed, skip_first_token } },
  }),

  // Each depth takes a moment.
  async fitted({ tokens }, { epsilon }, { model }) {
    const [used, [, , hidden = 0]] = [entry(tokens, 'used').data, entry(tokens, 'states').shape];
    const n = used.includes(0) ? used.indexOf(0) : used.length;
    const ranks: (number | null)[] = [];
    for (let depth = 0; depth <= model.layers; depth++) {
      // A turn of the loop, in which a cancel can arrive.
      await new Promise((turn) => setImmediate(turn));
      const squares = n === 0 ? [] : squaredSingularValues(statesAt(entry(tokens, 'states'), depth, n), n, hidden);
      ranks.push(rankOf(squares, epsilon));
    }
    const most = Math.min(n, hidden);
    const gaussian = n === 0 ? null : gaussianRank(n, hidden, epsilon);
    const [before = null, ...values] = ranks;
    const nothing = values.flatMap((rank, layer) => (rank === null ? [layer] : []));
    return {
      values,
      parts: { share: values.map((rank) => (rank === null ? null : rank / most)) },
      ...(gaussian === null ? {} : { reference: { value: gaussian, words: 'independent Gaussian numbers' } }),
      notes: [
        `${n} tokens of ${hidden} dimensions; before the first layer ${before === null ? 'nothing' : before.toPrecision(3)}. Part share: of the most that there can be, ${most}.`,
        ...(nothing.length > 0 ? [`${layerWords(nothing)}: all states are 0, so nothing is defined`] : []),
      ],
    };
  },

  score: () => {
    throw new Error('effective_rank is fitted');
  },
});

function statesAt({ data, shape: [, places = 0, hidden = 0] }: Tensors[string], depth: number, n: number) {
  const start = depth * places * hidden;
  return Float32Array.from(data.subarray(start, start + n * hidden));
}

/** @param squares squared singular values; a rounding error may be below 0 @returns null where all are 0 */
function rankOf(squares: ArrayLike<number>, epsilon: number): number | null {
  const singular = Array.from(squares, (square) => Math.sqrt(Math.max(0, square)));
  const sum = total(singular);
  if (sum === 0) return null;
  const shares = singular.map((value) => value / sum + epsilon).filter((share) => share > 0);
  return Math.exp(-shares.reduce((entropy, share) => entropy + share * Math.log(share), 0));
}

/** Of n x hidden independent normal numbers, in the limit of large matrices. */
function gaussianRank(n: number, hidden: number, epsilon: number): number | null {
  const count = Math.min(n, hidden);
  return rankOf(marchenkoPastur(count / Math.max(n, hidden), count), epsilon);
}
