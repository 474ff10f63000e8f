/**
 * One row for each observation: its options, and the float64 numbers that it must be on the tiny models of
 * `test/reference/scores`. `observe.test.ts` loops over the rows.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { EncodedSample } from '../../protocol/samples.ts';
import type { Json } from '../../protocol/scores.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { greedyOrder } from '../../server/src/scores/greedyOrder.ts';
import type { ObservationId } from '../../server/src/scores/observations.ts';
import { casesFolder } from './reference.ts';

interface Reference {
  block_influence: number[];
  block_influence_skip: number[];
  avss_relative: { AV: number[]; AS: number[] };
  avss_skip: { AV: number[]; AS: number[] };
  avss_absolute: { AV: number[]; AS: number[] };
  pooled_last: number[][][];
  pooled_mean: number[][][];
  input_norms: Record<string, number[]>;
  log_likelihood: number[];
  misses: number[];
  weight_spectra: Record<string, number[]>;
  weight_sizes: Record<string, number[]>;
  /** Sums over the tokens of a text, by layer. */
  relative_magnitude: number[][];
  relative_magnitude_skip: number[][];
  angular_distance: (number | null)[][];
  input_last: number[][];
  input_mean: number[][];
  /** States of all tokens by depth. */
  tokens: number[][][];
  cka: number[][];
  /** By depth and counted token, texts in order. */
  logit_lens: { crossEntropy: number[][]; divergence: number[][]; agreement: number[][] };
  ablation: {
    base: number[];
    block: number[][];
    attention: number[][];
    mlp: number[][];
    greedy: { layer: number; losses: number[] }[];
  };
}

export type Family = 'llama/biases' | 'gpt2/by_layer';

export function scoresReference(): Record<Family, Reference & Record<string, unknown>> {
  const file = path.join(casesFolder, 'scores', 'scores.json');
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<Family, Reference & Record<string, unknown>>;
}

export interface ObservationCase {
  of: ObservationId;
  options: Record<string, Json>;
  /** Expected numbers of some tensors, or of a number that follows from them. */
  expected: (reference: Reference, family: Family, texts: EncodedSample[]) => Record<string, number[]>;
  /** What of the observation is compared; itself by default. */
  seen?: (
    data: Record<string, ArrayLike<number>>,
    layers: number,
    reference: Reference,
    texts: EncodedSample[],
  ) => Record<string, number[]>;
}

/** A stretch from each text's second token on, three tokens long, and one of its last token. */
export function withSpans(texts: EncodedSample[]): EncodedSample[] {
  return texts.map((text, i) => ({
    ...text,
    spans: [
      { place: i, from: 1, to: 4 },
      { place: texts.length + i, from: text.tokens.length - 1, to: text.tokens.length },
    ],
  }));
}

const meanCosine = (data: Record<string, ArrayLike<number>>, layers: number) => {
  const width = data.sum.length / layers;
  const total = (values: ArrayLike<number>, layer: number) =>
    Array.from({ length: width }, (_, i) => values[layer * width + i]).reduce((a, b) => a + b, 0);
  return {
    influence: Array.from({ length: layers }, (_, l) => 1 - total(data.sum, l) / total(data.tokens, l)),
    skipped: [...Array.from(data.skipped)],
  };
};

export const observationCases: readonly ObservationCase[] = [
  { of: 'weight_spectra', options: {}, expected: (reference) => reference.weight_spectra },
  { of: 'weight_sizes', options: {}, expected: (reference) => reference.weight_sizes },
  ...([false, true] as const).map((skip_first_token): ObservationCase => ({
    of: 'hidden_change',
    options: { skip_first_token },
    expected: ({ relative_magnitude, relative_magnitude_skip }, _family, texts) => ({
      sum: (skip_first_token ? relative_magnitude_skip : relative_magnitude).flat(),
      tokens: relative_magnitude.flatMap(() => texts.map(({ tokens }) => tokens.length - Number(skip_first_token))),
      skipped: relative_magnitude.flatMap(() => texts.map(() => 0)),
    }),
  })),
  {
    of: 'text_states',
    options: { pool: 'last' },
    expected: ({ input_last, pooled_last }) => ({ states: [...input_last.flat(), ...pooled_last.flat(2)] }),
  },
  {
    of: 'text_states',
    options: { pool: 'mean' },
    expected: ({ input_mean, pooled_mean }) => ({ states: [...input_mean.flat(), ...pooled_mean.flat(2)] }),
  },
  {
    // More places than tokens: all of them in their order, and empty places.
    of: 'token_states',
    options: { tokens: 60, seed: 1, skip_first_token: false },
    expected: ({ tokens }, _family, texts) => {
      const textOf = texts.flatMap((text, index) => Array.from(text.tokens, () => index));
      const filled = (values: number[], width: number) => [
        ...values,
        ...new Array<number>(60 * width - values.length).fill(0),
      ];
      return {
        states: tokens.flatMap((depth) => filled(depth.flat(), depth[0].length)),
        used: filled(
          textOf.map(() => 1),
          1,
        ),
        text: filled(textOf, 1),
      };
    },
  },
  {
    // Fewer places: each state is that of some token of its text behind the first.
    of: 'token_states',
    options: { tokens: 5, seed: 1, skip_first_token: true },
    expected: () => ({ found: [1, 1, 1, 1, 1], used: [1, 1, 1, 1, 1] }),
    seen: (data, layers, { tokens }, texts) => {
      const width = tokens[0][0].length;
      const starts = texts.map((_, i) => texts.slice(0, i).reduce((sum, text) => sum + text.tokens.length, 0));
      const isState = (place: number, depth: number, at: number) =>
        tokens[depth][at].every((value, h) => Math.abs(value - data.states[(depth * 5 + place) * width + h]) < 1e-4);
      const positions = Array.from({ length: 5 }, (_, place) => {
        const text = data.text[place];
        const own = Array.from(texts[text].tokens, (_, t) => starts[text] + t).slice(1);
        return own.filter((at) => Array.from({ length: layers + 1 }, (_, d) => d).every((d) => isState(place, d, at)));
      });
      return { found: positions.map((at) => at.length), used: Array.from(data.used) };
    },
  },
  {
    of: 'span_states',
    options: { spans: 6 },
    expected: ({ tokens }, _family, texts) => {
      const starts = texts.map((_, i) => texts.slice(0, i).reduce((sum, text) => sum + text.tokens.length, 0));
      const means = (depth: number[][]) => [
        ...starts.flatMap((start) =>
          depth[0].map((_, h) => (depth[start + 1][h] + depth[start + 2][h] + depth[start + 3][h]) / 3),
        ),
        ...starts.flatMap((start, i) => depth[start + texts[i].tokens.length - 1]),
      ];
      assert.equal(texts.length, 3);
      return { states: tokens.flatMap(means) };
    },
  },
  {
    of: 'hidden_pooled',
    options: {},
    expected: ({ pooled_last, pooled_mean }) => ({ last: pooled_last.flat(2), mean: pooled_mean.flat(2) }),
  },
  {
    of: 'hidden_pooled',
    options: { layers: [1] },
    expected: ({ pooled_last, pooled_mean }) => ({ last: pooled_last[1].flat(), mean: pooled_mean[1].flat() }),
  },
  {
    of: 'hidden_cosine',
    options: { skip_first_token: false },
    expected: ({ block_influence }, _family, texts) => ({
      influence: block_influence,
      skipped: block_influence.flatMap(() => texts.map(() => 0)),
    }),
    seen: meanCosine,
  },
  {
    of: 'hidden_cosine',
    options: { skip_first_token: true },
    expected: ({ block_influence_skip }, _family, texts) => ({
      influence: block_influence_skip,
      skipped: block_influence_skip.flatMap(() => texts.map(() => 0)),
    }),
    seen: meanCosine,
  },
  ...(
    [
      ['avss_relative', { epsilon: 0.1, threshold: 'relative', skip_first_token: false }],
      ['avss_skip', { epsilon: 0.1, threshold: 'relative', skip_first_token: true }],
      ['avss_absolute', { epsilon: 0.05, threshold: 'absolute', skip_first_token: false }],
    ] as const
  ).map(([key, options]): ObservationCase => ({
    of: 'hidden_moments',
    options,
    expected: (reference) => ({ AV: reference[key].AV, AS: reference[key].AS }),
    seen: (data, layers) => {
      const width = data.variance.length / layers;
      const total = (values: ArrayLike<number>, layer: number) =>
        Array.from({ length: width }, (_, i) => values[layer * width + i]).reduce((a, b) => a + b, 0);
      const each = Array.from({ length: layers }, (_, layer) => layer);
      return {
        AV: each.map((layer) => total(data.variance, layer) / width),
        AS: each.map((layer) => total(data.below, layer) / total(data.entries, layer)),
      };
    },
  })),
  {
    of: 'outliers',
    options: { multiple: 3 },
    expected: (_reference, family) => {
      const file = path.join(casesFolder, 'pruning', `${family.split('/')[0]}.safetensors`);
      return { percent: [...(readSafetensors(file).tensor('outliers') as Float64Array)] };
    },
  },
  { of: 'input_norms', options: {}, expected: (reference) => reference.input_norms },
  {
    of: 'log_probabilities',
    options: {},
    expected: ({ log_likelihood, misses }, _family, texts) => ({
      logLikelihood: log_likelihood,
      misses,
      counted: texts.map(({ tokens, countedFrom }) => tokens.length - countedFrom),
    }),
  },
  {
    // Behind the last layer the logit lens is the model itself.
    of: 'token_log_probabilities',
    options: {},
    expected: ({ logit_lens: { crossEntropy } }, _family, texts) => {
      const counted = crossEntropy.at(-1)!.values();
      return {
        logProbability: texts.flatMap(({ tokens, countedFrom }) =>
          Array.from(tokens, (_, t) => (t < countedFrom ? 0 : -counted.next().value!)),
        ),
      };
    },
  },
  {
    of: 'logit_lens',
    options: { tokens: 60, seed: 0 },
    expected: ({ logit_lens: { crossEntropy, divergence, agreement } }, _family, texts) => {
      const textOf = texts.flatMap(({ tokens, countedFrom }, index) =>
        Array.from({ length: tokens.length - countedFrom }, () => index),
      );
      const filled = (values: number[]) => [...values, ...new Array<number>(60 - values.length).fill(0)];
      return {
        crossEntropy: crossEntropy.flatMap(filled),
        divergence: divergence.flatMap(filled),
        agreement: agreement.flatMap(filled),
        used: filled(textOf.map(() => 1)),
        text: filled(textOf),
      };
    },
  },
  {
    of: 'ablated_losses',
    options: { samples: 0, parts: true },
    expected: ({ ablation: { base, block, attention, mlp } }, _family, texts) => ({
      whole: base,
      block: block.flat(),
      attention: attention.flat(),
      mlp: mlp.flat(),
      counted: texts.map(({ tokens, countedFrom }) => tokens.length - countedFrom),
    }),
  },
  {
    // The first two texts alone.
    of: 'ablated_losses',
    options: { samples: 2, parts: false },
    expected: ({ ablation: { base, block } }) => {
      const two = (losses: number[]) => [losses[0], losses[1], 0];
      return { whole: two(base), block: block.flatMap(two) };
    },
  },
  {
    // Two layers together are those that PyTorch's greedy removal leaves out; llama has no third one.
    of: 'removed_losses',
    options: { samples: 0, sets: [[0], [1], [1, 2]] },
    expected: ({ ablation: { base, block, greedy } }, family, texts) => ({
      whole: base,
      counted: texts.map(({ tokens, countedFrom }) => tokens.length - countedFrom),
      without: [...block[0], ...block[1], ...(family === 'gpt2/by_layer' ? greedy[1].losses : block[1])],
    }),
  },
  {
    of: 'greedy_removal',
    options: { samples: 0, rounds: 9 },
    expected: ({ ablation: { greedy } }) => ({
      order: greedy.map(({ layer }) => layer),
      losses: greedy.flatMap(({ losses }) => losses),
    }),
    seen: ({ losses }, layers, { ablation: { greedy } }, texts) => {
      const shape = [layers - 1, layers, texts.length];
      const order = greedyOrder({ shape, data: Float64Array.from(losses) }).map(({ layer }) => layer);
      return {
        order,
        losses: greedy.flatMap(({ layer }, round) =>
          texts.map((_, text) => losses[(round * layers + layer) * texts.length + text]),
        ),
      };
    },
  },
];
