/**
 * One row for each score: observations of a model of three layers as literal numbers in, values out, worked out by hand
 * or by the reference (test/reference/scores). `scores.test.ts` loops over the rows and asks of each what must hold of
 * every score.
 */
import assert from 'node:assert/strict';
import type { Json, ScoreTable, Tensors } from '../../protocol/scores.ts';
import type { Labels, Member, SampleInfluence, ScoreNumbers } from '../../server/src/scores/types.ts';
import type { View } from '../../server/src/scores/views.ts';

export interface ScoreCase {
  score: string;
  options: Record<string, Json>;
  texts: number;
  /** By the names of the score's needs. */
  observed: Record<string, Tensors>;
  labels?: Labels;
  view?: View;
  /** Of a score that is made of the influence of samples, instead of observations. */
  influence?: SampleInfluence;
  /** Of a score that is made of others, instead of observations. */
  members?: Member[];
  expected: { values: (number | null)[]; parts?: Record<string, (number | null)[]>; layers?: (number | null)[] };
  /** Of the table; one value a layer by default. */
  axes?: ScoreTable['axes'];
  notes?: RegExp;
  /** Further things that must hold of the numbers. */
  also?: (numbers: ScoreNumbers) => void;
}

const f64 = (shape: number[], data: number[]) => ({ shape, data: Float64Array.from(data) });

/** Eigenvalues whose tail exponent is easy: the larger half has logarithms 0, 1, 1, ... times `step`. */
const spectrum = (step: number) => f64([6], [1e-3, 1e-2, 1e-1, 1, Math.exp(step), Math.exp(step)]);

const weightSizes = Object.fromEntries(
  [1, 2, 3].flatMap((size, layer) => [
    [`${layer}.a`, f64([2], [size, 36 * size])],
    [`${layer}.b`, f64([2], [2 * size, 54 * size])],
  ]),
);
/** The same statistics for the modules a (6 x 6) and b (6 x 12) of the three layers. */
const byModule = (name: string, a: number[][], b: number[][]) =>
  Object.fromEntries(
    [a, b].flatMap((module, at) =>
      module.map((data, layer) => [`${name}${layer}.${'ab'[at]}`, f64([data.length], data)] as const),
    ),
  );

/** Of two batches; layer 1 gets no gradient. */
const weightedGradients = {
  ...byModule('whole/', [[3], [0], [1]], [[1], [0], [3]]),
  ...byModule('square/', [[1], [0], [1]], [[1], [0], [1]]),
  ...byModule(
    'batch/',
    [
      [4, 2],
      [0, 0],
      [1, 3],
    ],
    [
      [2, 2],
      [0, 0],
      [3, 3],
    ],
  ),
  ...byModule(
    'without/',
    [
      [2, 4],
      [0, 0],
      [3, 1],
    ],
    [
      [2, 2],
      [0, 0],
      [3, 3],
    ],
  ),
};

/** The other way round where every drawn text is text 1. */
const turning = (values: number[]) => (texts: ArrayLike<number>) =>
  Array.from(texts).every((text) => text === 1) ? values.toReversed() : values;

/**
 * Eighty vectors of four numbers with two kinds, one vector a text. The first number says the kind at depth 1, with a
 * little noise that is no multiple of it; at depth 2 the kind is told by the second one; at depth 3 nothing is.
 */
const KINDS = Int32Array.from({ length: 80 }, (_, i) => i % 2);
const viewed: View = {
  text: Int32Array.from(KINDS, (_, i) => i),
  words: 'eighty',
  classes: { of: KINDS, names: ['a', 'b'] },
};
const kinds = {
  states: f64(
    [4, 80, 4],
    [0, 1, 2, 0].flatMap((number) =>
      Array.from(KINDS, (kind, i) => {
        const noise = [5, 7, 11, 13].map((step, k) => Math.sin(step * i + k));
        if (number > 0) noise[number - 1] = 100 * (2 * kind - 1) + 0.001 * noise[number - 1];
        return noise;
      }).flat(),
    ),
  ),
};
const correlated = (name: 'pwcca' | 'mean_cca'): ScoreCase => ({
  // With two classes there is one direction, so that both measures are its correlation: 1 but for the noise.
  score: name,
  options: { view: 'label' },
  texts: 80,
  view: viewed,
  observed: { states: kinds },
  expected: { values: [] },
  notes:
    /^eighty; 4 dimensions of the layer and 1 of the view\.\nTen folds, 80 vectors, on unseen vectors; before the first layer -?0\.\d/,
  also: ({ values, reference, intervals }) => {
    assert.ok(values[0]! > 0.999999 && values[1]! > 0.999999 && Math.abs(values[2]!) < 0.5, values.join());
    for (const chance of reference!.value as number[]) assert.ok(Math.abs(chance) < 0.5);
    assert.ok(intervals![0]![0] > 0.99);
  },
});

export const scoreCases: readonly ScoreCase[] = [
  {
    // Samples 0 and 1 of five are mislabelled; the lowest two are looked at. Layer 1 is not scored.
    score: 'ndr',
    options: { share: 0.4 },
    texts: 0,
    observed: {},
    influence: {
      layers: [0, 2],
      values: [
        [-3, -2, 1, 2, 3],
        [3, -1, 1, 2, -5],
      ],
      noisy: [true, true, false, false, false],
      estimator: 'datainf',
    },
    expected: { values: [1, null, 0.5], parts: { AUC: [1, null, 1 / 3], recall: [1, null, 0.5] } },
    notes:
      /^2 of 5 training samples are mislabelled; the 2 with the lowest influence \(datainf\)[^]*the sum over the layers: 0\.500, AUC 0\.833; the mean rank over the layers: 1\.000[^]*layer 1: not scored/,
    also: ({ marks, reference }) => {
      assert.deepEqual([marks![0].at, reference!.value], [[0], 0.4]);
    },
  },
  {
    // Four questions with a truthful and a hallucinated answer of one token each. Layer 0 has another variance where
    // the answer is hallucinated, layer 1 nothing else, layer 2 another sparsity.
    score: 'eavss',
    options: { permutations: 99 },
    texts: 8,
    labels: {
      of: Int32Array.of(0, 1, 0, 1, 0, 1, 0, 1),
      groups: Int32Array.of(0, 0, 1, 1, 2, 2, 3, 3),
      names: ['truthful', 'hallucinated'],
      heldOut: 0,
    },
    observed: {
      moments: {
        variance: f64([3, 8], [1, 3, 2, 4, 3, 5, 2, 4, 1, 1, 2, 2, 3, 3, 4, 4, 1, 2, 1, 2, 2, 3, 2, 3]),
        below: f64([3, 8], [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 3, 1, 3, 2, 4, 0, 2]),
        entries: f64([3, 8], new Array<number>(24).fill(4)),
        squares: f64([3, 8], new Array<number>(24).fill(4)),
      },
    },
    expected: {
      values: [2 / 3, 0, 4 / 3],
      parts: {
        'AV, hallucinated - truthful': [2, 0, 1],
        'AS, hallucinated - truthful': [0, 0, 0.5],
        HSAV: [2, 0, 1],
        HSS: [0, 0, 0.5],
      },
    },
    notes:
      /^4 hallucinated and 4 truthful answers; labels are shuffled within each of the 4 questions\.\nNo share[^]*Fewer than 100/,
    // A quarter of the pairs' swaps cannot be told from none; all swaps together reach as much.
    also: ({ p, parts, reference }) => {
      assert.equal(p![1], 1);
      assert.ok(parts!['p of HSAV'][0]! > 0.05 && parts!['p of HSAV'][0]! < 0.3);
      for (const value of reference!.value as number[]) assert.ok(value >= 0 && value <= 2);
    },
  },
  {
    // Two clusters name the kind at two depths; of two kinds, equally often, H is log 2.
    score: 'cluster_information',
    options: { clusters: 2, permutations: 20 },
    texts: 80,
    view: viewed,
    observed: { states: kinds },
    expected: { values: [] },
    notes:
      /^eighty; H\(label\) 0\.693 nats; before the first layer 0\.\d{3}, by chance 0\.0\d\d\.\nIntervals leave out one of 20/,
    also: ({ values, parts, p, reference, intervals }) => {
      assert.deepEqual(
        values.slice(0, 2).map((value) => Number(value!.toFixed(12))),
        [1, 1],
      );
      assert.ok(values[2]! < 0.2);
      assert.ok(Math.abs(parts!['in nats'][0]! - Math.log(2)) < 1e-12);
      assert.deepEqual(parts!.clusters, [2, 2, 2]);
      assert.deepEqual(p!.slice(0, 2), [1 / 21, 1 / 21]);
      assert.ok((reference!.value as number[]).every((chance) => chance > 0 && chance < 0.1));
      assert.ok(Math.abs(intervals![0]![1] - intervals![0]![0]) < 1e-9, 'without any group it is 1 too');
    },
  },
  correlated('pwcca'),
  correlated('mean_cca'),
  {
    // Ten texts to fit on, ten held out. Layer 0 says the label, layer 1 nothing, layer 2 the opposite in the held-out
    // texts.
    score: 'probe',
    options: {},
    texts: 20,
    labels: { of: Int32Array.from({ length: 20 }, (_, i) => i % 2), names: ['no', 'yes'], heldOut: 10 },
    observed: {
      states: {
        states: f64(
          [4, 20, 4],
          [0, 1, 0, -1].flatMap((sign, depth) =>
            Array.from({ length: 20 }, (_, i) => {
              const said = (2 * (i % 2) - 1) * (depth === 3 && i < 10 ? 1 : sign);
              return [said, 0, 0, 0];
            }).flat(),
          ),
        ),
      },
    },
    expected: { values: [1, 0.5, 0], parts: { accuracy: [1, 0.5, 0], 'macro-F1': [1, 1 / 3, 0] } },
    notes:
      /^Accuracy; before the first layer 0\.500\.\nno 5, yes 5 texts; measured on 10 held-out texts, fitted on 10\.\nIntervals/,
    also: ({ marks, reference }) => {
      assert.deepEqual(
        marks!.map(({ at }) => at),
        [[0], [0]],
      );
      assert.equal(reference!.value, 0.5);
    },
  },
  {
    // Ten texts to fit on, ten held out. The first model says the label in layer 0 alone, the second nothing: together
    // they say it too, and no weight of the second helps.
    score: 'fusion',
    options: { second: 'other' },
    texts: 20,
    labels: { of: Int32Array.from({ length: 20 }, (_, i) => i % 2), names: ['no', 'yes'], heldOut: 10 },
    observed: {
      states: {
        states: f64(
          [4, 20, 4],
          [0, 1, 0, 0].flatMap((sign) =>
            Array.from({ length: 20 }, (_, i) => [sign * (2 * (i % 2) - 1), 0, 0, 0]).flat(),
          ),
        ),
      },
      others: { states: f64([2, 20, 2], Array<number>(80).fill(0)) },
    },
    axes: [{ name: 'classifier', labels: ['first model', 'second model', 'concat', 'mean', 'weighted'] }],
    expected: {
      values: [1, 0.5, 1, 1, 1],
      parts: { 'numbers a text': [4, 2, 6, 2, 6], 'parameters of the head': [5, 3, 7, 3, 9] },
    },
    notes:
      /^Accuracy; no 5, yes 5 texts; [^]*layer 0 of 3; second model: layer 0 of 1 \(other\)[^]*differ on 50\.0 %[^]*100\.0 % \(oracle\), 0\.0 points/,
  },
  {
    // Layers in the same order, in the opposite one, and with too few values to tell. The texts of `drop` and `cheap`
    // are drawn together, so that their correlation stays 1; text 1 alone turns both around.
    score: 'agreement',
    options: {},
    texts: 2,
    observed: {},
    members: [
      {
        label: 'unknown',
        score: 'cka',
        question: 'explain',
        values: [1, null, 2],
        turned: false,
        texts: null,
        count: 0,
      },
      {
        label: 'tail',
        score: 'alpha_hill',
        question: 'prune_weights',
        values: [-1, -2, -3],
        turned: true,
        texts: null,
        count: 0,
      },
      {
        label: 'cheap',
        score: 'owl',
        question: 'remove_block',
        values: [4, 5, 6],
        turned: false,
        texts: 't',
        count: 2,
        drawn: turning([4, 5, 6]),
      },
      {
        label: 'drop',
        score: 'layer_drop',
        question: 'remove_block',
        values: [1, 2, 3],
        turned: false,
        texts: 't',
        count: 2,
        drawn: turning([1, 2, 3]),
      },
    ],
    axes: ['score', 'other score'].map((name) => ({
      name,
      labels: ['cheap', 'drop', 'tail', 'unknown'],
      groups: ['which blocks can go', 'which blocks can go', 'which layers lose weights', 'what the layers do'],
    })),
    expected: { values: [1, 1, -1, null, 1, 1, -1, null, -1, -1, 1, null, null, null, null, null] },
    notes:
      /With drop, which is measured; which blocks can go: cheap 1\.00 \[1\.00, 1\.00\]\.\n.*lose weights: tail -1\.00 \[-1\.00, 1\.00\]\.\n.*unknown undefined\.\nNot resampled, .*: tail, unknown\.\nTurned over, .*: tail\.\n3 layers\./,
    also: ({ intervals }) => {
      assert.deepEqual([intervals![0], intervals![1], intervals![2], intervals![15]], [null, [1, 1], [-1, 1], null]);
    },
  },
  {
    // 1 - (0.5 + 1.5) / 4; no direction at all; an identity
    score: 'block_influence',
    options: {},
    texts: 2,
    observed: {
      cosine: {
        sum: f64([3, 2], [0.5, 1.5, 0, 0, 2, 2]),
        tokens: f64([3, 2], [2, 2, 0, 0, 2, 2]),
        skipped: f64([3, 2], [0, 0, 2, 2, 0, 0]),
      },
    },
    expected: { values: [0.5, null, 0] },
    notes:
      /4 tokens whose input or output is zero .* \(layer 1\)[\s\S]*layer 1: no token is left, so the value is undefined/,
  },
  {
    // 1 + k / (sum of logs of the three largest - 3 ln of the smallest of them) = 1 + 3 / (2 step)
    score: 'alpha_hill',
    options: { fit: 'mid' },
    texts: 0,
    observed: {
      spectra: Object.fromEntries(
        [1, 2, 3].flatMap((step, layer) => [
          [`${layer}.a`, spectrum(step)],
          [`${layer}.b`, spectrum(step / 2)],
        ]),
      ),
    },
    expected: {
      values: [1 + (1.5 + 3) / 2, 1 + (0.75 + 1.5) / 2, 1 + (0.5 + 1) / 2],
      parts: { a: [2.5, 1.75, 1.5], b: [4, 2.5, 2] },
    },
  },
  {
    // Nothing below epsilon anywhere: nothing of it is 0.
    score: 'avss',
    options: {},
    texts: 2,
    observed: {
      moments: {
        variance: f64([3, 2], [3, 5, 1, 1, 8, 8]),
        below: f64([3, 2], [0, 0, 0, 0, 0, 0]),
        entries: f64([3, 2], [8, 8, 8, 8, 8, 8]),
      },
    },
    expected: {
      values: [null, null, null],
      parts: { AV: [4, 1, 8], AS: [0, 0, 0], NAVSS: [null, null, null], CAVSS: [null, null, null] },
    },
    notes: /^layers 0, 1, 2: no activation is below epsilon, so the value is undefined$/,
  },
  {
    // AV: 4 and 1 and 8; AS: 0.5, 0 and 0.25
    score: 'avss',
    options: {},
    texts: 2,
    observed: {
      moments: {
        variance: f64([3, 2], [3, 5, 1, 1, 8, 8]),
        below: f64([3, 2], [2, 6, 0, 0, 4, 0]),
        entries: f64([3, 2], [8, 8, 8, 8, 8, 8]),
        squares: f64([3, 2], [1, 1, 1, 1, 1, 1]),
      },
    },
    expected: {
      values: [8, null, 32],
      parts: { AV: [4, 1, 8], AS: [0.5, 0, 0.25], NAVSS: [0.2, null, 0.8], CAVSS: [0.2, 0.2, 1] },
    },
    notes: /^layer 1: no activation is below epsilon, so the value is undefined$/,
  },
  {
    // (1 + 2) / (3 + 3); an identity; no output at all
    score: 'relative_magnitude',
    options: {},
    texts: 2,
    observed: {
      change: {
        sum: f64([3, 2], [1, 2, 0, 0, 0, 0]),
        tokens: f64([3, 2], [3, 3, 3, 3, 0, 0]),
        skipped: f64([3, 2], [0, 0, 0, 0, 3, 2]),
      },
    },
    expected: { values: [0.5, 0, null] },
    notes: /^5 tokens whose output is zero are left out \(layer 2\)\nlayer 2: no token is left/,
  },
  {
    // One text turns by a right angle, then back, then round to the other side; the other keeps its direction and
    // grows, and is zero at the end.
    score: 'angular_distance',
    options: {},
    texts: 2,
    observed: {
      last: {
        states: f64(
          [4, 2, 4],
          [
            [1, 0, 0, 0],
            [0, 0, 1, 0],
            [0, 2, 0, 0],
            [0, 0, 2, 0],
            [3, 0, 0, 0],
            [0, 0, 3, 0],
            [-4, 0, 0, 0],
            [0, 0, 0, 0],
          ].flat(),
        ),
      },
    },
    axes: [
      { name: 'layers together', labels: [1, 2, 3] },
      { name: 'first layer', labels: [0, 1, 2] },
    ],
    expected: { values: [0.25, 0.25, 1, 0, 0.5, null, 1, null, null], layers: [0.25, 0.25, 1] },
    notes: /^Places are empty where so many layers do not follow any more\.$/,
    also: ({ marks }) => assert.deepEqual(marks![0].at, [0, 3, 6]),
  },
  {
    score: 'magnitude',
    options: { power: 'absolute', mean: false },
    texts: 0,
    observed: { sizes: weightSizes },
    expected: { values: [3, 6, 9], parts: { a: [1, 2, 3], b: [2, 4, 6] } },
  },
  {
    score: 'magnitude',
    options: { power: 'square', mean: true },
    texts: 0,
    observed: { sizes: weightSizes },
    expected: { values: [90 / 108, 180 / 108, 270 / 108], parts: { a: [1, 2, 3], b: [54 / 72, 108 / 72, 162 / 72] } },
  },
  {
    // Depth 1 is depth 0 turned, shifted and scaled; depth 2 is constant; depth 3 has in pairs what depth 0 has
    // apart: of four points, u-centred Gram matrices with -2/3, 1/3 and 4/3, -2/3, so the one is -2 times the other.
    score: 'cka',
    options: {},
    texts: 2,
    observed: {
      tokens: {
        states: f64(
          [4, 6, 2],
          [
            [1, 0, -1, 0, 0, 1, 0, -1, 9, 9, 0, 0],
            [5, 7, 5, 3, 3, 5, 7, 5, 9, 9, 0, 0],
            new Array<number>(12).fill(2),
            [1, 0, 1, 0, -1, 0, -1, 0, 0, 0, 0, 0],
          ].flat(),
        ),
        used: f64([6], [1, 1, 1, 1, 0, 0]),
        text: f64([6], [0, 0, 1, 1, 0, 0]),
      },
    },
    axes: ['depth', 'other depth'].map((name) => ({ name, labels: [0, 1, 2, 3] })),
    expected: {
      values: [1, 1, null, -1, 1, 1, null, -1, null, null, null, null, -1, -1, null, 1],
      layers: [0, null, null],
    },
    notes: /4 tokens\.\nWith 4 tokens of 4 dimensions[^\n]*\ndepth 2: all states are alike/,
  },
  {
    // By numpy (test/reference/scores/effective_rank.py): before the first layer 3.86 of 4 directions.
    score: 'effective_rank',
    options: {},
    texts: 2,
    observed: {
      tokens: {
        states: f64(
          [4, 12, 4],
          Array.from({ length: 4 * 12 * 4 }, (_, at) => {
            const [depth, place, h] = [Math.floor(at / 48), Math.floor(at / 4) % 12, at % 4];
            return Math.fround(Math.sin((place + 1) * (h + 1) ** 2 + depth) / 4 ** (depth * h));
          }),
        ),
        used: f64([12], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]),
        text: f64([12], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]),
      },
    },
    expected: {
      values: [2.00325308384, 1.2805704353, 1.0889102906],
      parts: { share: [2.00325308384 / 4, 1.2805704353 / 4, 1.0889102906 / 4] },
    },
    notes: /^10 tokens of 4 dimensions; before the first layer 3\.86\. Part share: of the most that there can be, 4\.$/,
  },
  {
    // Four directions alike, one alone, none at all.
    score: 'effective_rank',
    options: { epsilon: 0 },
    texts: 1,
    observed: {
      tokens: {
        states: f64(
          [4, 4, 4],
          [2, 3, 0, 0].flatMap((size, depth) =>
            Array.from({ length: 16 }, (_, at) => (depth === 1 ? at % 4 : Number(at % 5 === 0)) * size),
          ),
        ),
        used: f64([4], [1, 1, 1, 1]),
        text: f64([4], [0, 0, 0, 0]),
      },
    },
    expected: { values: [1, null, null] },
    notes: /before the first layer 4\.00\.[^\n]*\nlayers 1, 2: all states are 0, so nothing is defined$/,
  },
  {
    // Two tokens of one text and one of the other: 9, 6, 3 and 1 nats before and behind three layers, on the mean.
    score: 'logit_lens',
    options: {},
    texts: 2,
    observed: {
      lens: {
        crossEntropy: f64([4, 4], [9, 10, 8, 0, 6, 5, 7, 0, 3, 6, 0, 0, 1, 1, 1, 0]),
        divergence: f64([4, 4], [3, 3, 3, 0, 2, 3, 4, 0, 1, 1, 1, 0, 0, 0, 0, 0]),
        agreement: f64([4, 4], [0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0]),
        used: f64([4], [1, 1, 1, 0]),
        text: f64([4], [0, 1, 1, 0]),
      },
    },
    expected: {
      values: [3, 3, 2],
      parts: {
        'cross-entropy': [6, 3, 1],
        'divergence from the last': [3, 1, 0],
        'same top token': [1 / 3, 2 / 3, 1],
      },
    },
    notes: /Before the first layer the cross-entropy is 9\.000 nats; .* 1\.000\.\n3 tokens, 15 rows of the head\./,
  },
  {
    // 6 nats on 4 tokens; 10 without layer 0, 4 without layer 1, 6 without layer 2. Greedily 1 goes first and then 2.
    score: 'layer_drop',
    options: { parts: true, greedy: 2 },
    texts: 2,
    observed: {
      losses: {
        whole: f64([2], [4, 2]),
        counted: f64([2], [3, 1]),
        block: f64([3, 2], [7, 3, 2, 2, 4, 2]),
        attention: f64([3, 2], [8, 2, 4, 2, 5, 2]),
        mlp: f64([3, 2], [4, 2, 4, 2, 0, 2]),
      },
      removal: { losses: f64([2, 3, 2], [7, 3, 2, 2, 4, 2, 9, 9, 0, 0, 5, 3]) },
    },
    expected: {
      values: [1, -0.5, 0],
      parts: {
        perplexity: [Math.exp(2.5), Math.exp(1), Math.exp(1.5)],
        'place in the greedy removal': [null, 1, 2],
      },
    },
    notes:
      /^Perplexity of the whole model 4\.48 on 4 tokens\.\nGreedy removal 1: layer 1; perplexity 2\.72\.\nGreedy removal 2: layer 2, without layer 1 already; perplexity 7\.39\.\nThe modules that end attention/,
    also: ({ marks }) => assert.deepEqual(marks, [{ at: [1], words: 'the texts are more probable without it' }]),
  },
  {
    // Layers 0 and 2: (7 - 4 + 5 - 2) / 4; the random sets rise by 0.5 and 2.5.
    score: 'removal',
    options: { layers: '0, 2', random: 2 },
    texts: 2,
    observed: {
      losses: {
        whole: f64([2], [4, 2]),
        counted: f64([2], [3, 1]),
        without: f64([1, 2], [7, 5]),
      },
      others: {
        whole: f64([2], [4, 2]),
        counted: f64([2], [3, 1]),
        without: f64([2, 2], [6, 2, 8, 8]),
      },
    },
    axes: [{ name: 'left out', labels: ['0, 2'] }],
    expected: { values: [1.5], parts: { perplexity: [Math.exp(3)], layers: [2] } },
    notes:
      /^Perplexity of the whole model 4\.48 on 4 tokens\.\nRandom sets of 2 layers: perplexity 7\.389 to 54\.60\. p: share/,
    also: ({ reference, p }) => {
      assert.equal(reference!.value, 1.5);
      assert.deepEqual(p, [2 / 3]);
    },
  },
  {
    score: 'owl',
    options: { multiple: 5 },
    texts: 2,
    observed: { outliers: { percent: f64([3], [0.5, 1, 2.25]) } },
    expected: { values: [0.5, 1, 2.25] },
  },
  {
    score: 'taylor',
    options: { batches: 2 },
    texts: 4,
    observed: { gradients: weightedGradients },
    expected: { values: [4, 0, 4], parts: { a: [3, 0, 1], b: [1, 0, 3] } },
    notes: /^layer 1: no gradient reaches the weights$/,
    // Without a batch 4 and 6: the standard error is sqrt(1/2 (1 + 1)) = 1, Student's t with one degree 6.314 at 90 %.
    also: ({ intervals }) => assert.ok(Math.abs(intervals![0]![1] - (4 + 6.313752)) < 1e-5),
  },
  {
    score: 'taylor_plus',
    options: { batches: 2, first: 1, last: 0 },
    texts: 4,
    observed: { gradients: weightedGradients },
    expected: { values: [4, 0, 4], parts: { taylor: [4, 0, 4] } },
    notes: /layer 1: no gradient[\s\S]*layer 0: raised to the largest value of all layers/,
    also: ({ marks, intervals }) => assert.deepEqual([marks![0].at, intervals![0]], [[0], null]),
  },
  {
    score: 'taylor_plus',
    options: { batches: 2 },
    texts: 4,
    observed: { gradients: weightedGradients },
    expected: { values: [null, null, null], parts: { taylor: [4, 0, 4] } },
    notes: /^all 3 layers are among the protected 4 first and 2 last ones, so there is no order$/,
  },
  {
    // Sums over both batches: 10, 0 and 10 of 20
    score: 'snip',
    options: { batches: 2 },
    texts: 4,
    observed: { gradients: weightedGradients },
    expected: { values: [0.5, 0, 0.5], parts: { a: [0.3, 0, 0.2], b: [0.2, 0, 0.3] } },
    also: ({ reference }) => assert.deepEqual(reference!.value, [1 / 3, 1 / 3, 1 / 3]),
  },
  {
    score: 'snip',
    options: { batches: 2 },
    texts: 4,
    observed: {
      gradients: byModule(
        'batch/',
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
        [
          [0, 0],
          [0, 0],
          [0, 0],
        ],
      ),
    },
    expected: { values: [null, null, null] },
    notes: /^no gradient reaches any weight, so there are no shares$/,
  },
  {
    score: 'fisher_trace',
    options: {},
    texts: 2,
    observed: {
      norms: byModule(
        '',
        [
          [1, 3],
          [0, 0],
          [2, 2],
        ],
        [
          [4, 2],
          [0, 0],
          [0, 6],
        ],
      ),
    },
    expected: { values: [5, 0, 5], parts: { a: [2, 0, 2], b: [3, 0, 3] } },
    notes: /^layer 1: no gradient reaches the weights$/,
  },
  {
    score: 'fisher_trace',
    options: { per_weight: true },
    texts: 2,
    observed: {
      norms: byModule(
        '',
        [
          [36, 36],
          [36, 36],
          [72, 72],
        ],
        [
          [72, 72],
          [72, 72],
          [0, 0],
        ],
      ),
    },
    expected: { values: [1, 1, 2 / 3], parts: { a: [1, 1, 2], b: [1, 1, 0] } },
  },
  {
    // -(size (plus - minus) / 2 step) of both batches, sizes 2 and 1 of 3 texts, step 1/2
    score: 'grasp',
    options: { batches: 2 },
    texts: 3,
    observed: {
      moved: {
        norm: f64([1], [2]),
        step: f64([1], [0.5]),
        ...byModule(
          'plus/',
          [
            [3, 1],
            [0, 0],
            [0, 3],
          ],
          [
            [0, 0],
            [1, 1],
            [0, 0],
          ],
        ),
        ...byModule(
          'minus/',
          [
            [0, 1],
            [0, 0],
            [0, 0],
          ],
          [
            [0, 0],
            [0, 0],
            [0, 0],
          ],
        ),
      },
    },
    expected: { values: [-2, -1, -1], parts: { a: [-2, 0, -1], b: [0, -1, 0] } },
    notes: /^intervals: other texts for the Hessian, along the same gradient$/,
    // Layer 2 without the first batch -3, without the second 0: half the distance 1.5, times 6.314.
    also: ({ intervals }) => assert.ok(Math.abs(intervals![2]![1] - (-1 + 6.313752 * 1.5)) < 1e-5),
  },
  {
    score: 'grasp',
    options: { batches: 2 },
    texts: 3,
    observed: { moved: { norm: f64([1], [0]), step: f64([1], [0]) } },
    expected: { values: [null, null, null] },
    notes: /^no gradient reaches any weight, so there is no direction$/,
  },
  {
    // 36 and 72 weights: 54 of 108 claimed
    score: 'spider',
    options: { batches: 2 },
    texts: 4,
    observed: {
      claims: {
        ...byModule('claimed/', [[18], [0], [9]], [[36], [0], [72]]),
        ...byModule('mask/', [[9], [0], [9]], [[18], [0], [72]]),
        ...byModule('shuffled/', [[18], [0], [18]], [[36], [0], [36]]),
        ...byModule('weight/', [[36], [36], [36]], [[72], [72], [72]]),
        ...byModule('gradient/', [[36], [0], [36]], [[72], [0], [72]]),
        ...byModule(
          'without/',
          [
            [18, 18],
            [0, 0],
            [9, 9],
          ],
          [
            [36, 36],
            [0, 0],
            [72, 72],
          ],
        ),
      },
    },
    expected: {
      values: [0.5, 0, 0.75],
      parts: {
        a: [0.5, 0, 0.25],
        b: [0.5, 0, 1],
        'shuffled a': [0.5, 0, 0.5],
        'above shuffled': [0, 0, 0.25],
        'mean mask': [0.25, 0, 0.75],
        'mean |W|': [1, 1, 1],
        'mean |gradient|': [1, 0, 1],
      },
    },
    notes: /^layer 1: no gradient reaches the weights, so nothing is claimed$/,
    also: ({ reference, intervals }) => {
      assert.deepEqual(reference!.value, [0.5, 0, 0.5]);
      assert.deepEqual(intervals, [
        [0.5, 0.5],
        [0, 0],
        [0.75, 0.75],
      ]);
    },
  },
  {
    // Two seeds; layer 1 is not changed, of layer 2 only a is.
    score: 'ila',
    options: { seeds: 2, steps: 3 },
    texts: 4,
    observed: {
      masks: {
        loss: f64([2, 3], [3, 2, 1.5, 3, 2, 1.25]),
        ends: f64([2], [3.5, 1]),
        ...byModule(
          's/',
          [
            [4, 2],
            [0, 0],
            [6, 8],
          ],
          [
            [1, 1],
            [0, 0],
            [0, 0],
          ],
        ),
        ...byModule('changed/', [[1], [0], [1]], [[1], [0], [0]]),
      },
    },
    expected: {
      values: [2, null, 7],
      parts: {
        a: [3, null, 7],
        b: [1, null, null],
        gamma: [1 / (1 + Math.exp(-2)), null, 1 / (1 + Math.exp(-7))],
        'mean rank of the modules': [2.5, null, 1],
      },
    },
    notes:
      /^loss 3\.5000 with none of the changes, 1\.0000 with all of them, 1\.5000, 1\.2500 on the texts of the last step\nSpearman of the modules between seeds: 1\.00\nlayer 1: no change to mask, so the value is undefined$/,
  },
];
