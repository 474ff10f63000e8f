/** The Performance Law against values worked out with its constants, against finite differences, and its limits. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureOf } from '../../server/src/planning/architecture.ts';
import { errorBand, knownModels } from '../../server/src/planning/knownModels.ts';
import { estimatedParameters, predictScore, sensitivities } from '../../server/src/planning/performanceLaw.ts';
import type { LawInput } from '../../server/src/planning/performanceLaw.ts';
import { leastParameters, searchShapes } from '../../server/src/planning/searchShapes.ts';

/** N, h, d, T, S -> u, prediction. */
const golden: [string, number, number, number, number, number, number, number][] = [
  ['Llama-2-7B', 32, 4096, 11008, 2, 6.7, 0.96624, 58.03],
  ['Llama-2-13B', 40, 5120, 13824, 2, 13, 0.966288, 61.09],
  ['Llama-2-70B', 80, 8192, 28672, 2, 69, 0.951396, 70.21],
  ['Llama-3-8B', 32, 4096, 14336, 15, 8, 0.968615, 65.43],
  ['Llama-3-70B', 80, 8192, 28672, 15, 70.6, 0.951396, 81.09],
  ['Qwen2-0.5B', 24, 896, 4864, 12, 0.5, 0.710142, 40.7],
  ['Qwen2-7B', 28, 3584, 18944, 7, 7.6, 0.971172, 62.73],
  ['GPT-2 small', 12, 768, 3072, 0.01, 0.124, 0.883737, 25],
];

test('the golden table to 1e-2, the stability to 1e-6', () => {
  assert.deepEqual(
    knownModels.map(({ name }) => name),
    golden.map(([name]) => name),
  );
  for (const [name, layers, hidden, feedForward, tokens, parameters, stability, expected] of golden) {
    const found = predictScore({ layers, hidden, feedForward, tokens, parameters });
    assert.ok(Math.abs(found.score - expected) < 1e-2, `${name}: ${found.score}`);
    assert.ok(Math.abs(found.stability - stability) < 1e-6, `${name}: ${found.stability}`);
  }
  const gpt2 = predictScore(knownModels.at(-1)!);
  assert.ok(Math.abs(gpt2.raw - 14.28) < 1e-2);
});

const llama: LawInput = { layers: 32, hidden: 4096, feedForward: 14336, tokens: 5, parameters: 8 };

test('more tokens help up to a trillion a billion weights, then nothing changes', () => {
  const at = (tokens: number) => predictScore({ ...llama, tokens }).score;
  assert.ok(at(1) < at(2) && at(2) < at(7.9));
  assert.equal(at(8), at(80));
  assert.ok(predictScore({ ...llama, precisionLoss: 1.5 }).score < at(5));
});

test('bounds: 25 below, 90 + 10 tanh(0.1 x - 9) above', () => {
  assert.equal(predictScore({ layers: 2, hidden: 64, feedForward: 256, tokens: 0.001, parameters: 0.001 }).score, 25);
  const { raw, score } = predictScore({
    layers: 200,
    hidden: 65536,
    feedForward: 65536,
    tokens: 1000,
    parameters: 5000,
  });
  assert.ok(raw > 90 && score < 100);
  assert.equal(score, 90 + 10 * Math.tanh(0.1 * raw - 9));
});

test('sensitivities are the slopes, in the middle, where tokens are used up, and above 90', () => {
  const inputs: Required<LawInput>[] = [
    { ...llama, precisionLoss: 1 },
    { ...llama, tokens: 15, precisionLoss: 1.2 },
    { layers: 150, hidden: 32768, feedForward: 65536, tokens: 400, parameters: 900, precisionLoss: 1 },
  ];
  assert.ok(predictScore(inputs[2]).raw > 90);
  for (const input of inputs) {
    const found = sensitivities(input);
    for (const of of Object.keys(found) as (keyof typeof found)[]) {
      const step = 1e-5 * input[of];
      const slope =
        (predictScore({ ...input, [of]: input[of] + step }).score -
          predictScore({ ...input, [of]: input[of] - step }).score) /
        (2 * step);
      assert.ok(Math.abs(found[of] - slope) <= 1e-6 * Math.max(1, Math.abs(slope)), `${of}: ${found[of]}, ${slope}`);
    }
  }
  const chance = sensitivities({ layers: 2, hidden: 64, feedForward: 256, tokens: 0.001, parameters: 0.001 });
  assert.deepEqual(new Set(Object.values(chance)), new Set([0]));
});

test("weights by the planner's formula, and with a configuration's own numbers", () => {
  const shape = { layers: 32, hidden: 4096, feedForward: 14336 };
  const byHand = ((2 * 4096 * 128 * 8 + 2 * 4096 ** 2 + 3 * 4096 * 14336) * 32 + 2 * 150_000 * 4096) / 1e9;
  assert.equal(estimatedParameters(shape), byHand);
  // SmolLM2-135M: 134,515,008 with its norms, of which this counts none.
  const smol = architectureOf({
    model_type: 'llama',
    num_hidden_layers: 30,
    hidden_size: 576,
    intermediate_size: 1536,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49152,
    tie_word_embeddings: true,
  }).read!;
  assert.equal(Math.round(estimatedParameters(smol.shape, smol.counts) * 1e9), 134_515_008 - 61 * 576);
});

test('configurations: names of families, models of several parts, mixtures of experts, missing numbers', () => {
  const gpt2 = architectureOf({
    model_type: 'gpt2',
    n_layer: 12,
    n_embd: 768,
    n_head: 12,
    n_inner: null,
    vocab_size: 50257,
  });
  assert.deepEqual(gpt2.read!.shape, { layers: 12, hidden: 768, feedForward: 3072 });
  // 124.4 M with positions, norms and biases.
  assert.ok(Math.abs(estimatedParameters(gpt2.read!.shape, gpt2.read!.counts) - 0.1236) < 1e-3);
  const inner = { model_type: 'qwen2', num_hidden_layers: 24, hidden_size: 896, intermediate_size: 4864 };
  assert.equal(architectureOf({ model_type: 'llava', text_config: inner }).read!.shape.hidden, 896);
  for (const name of ['num_local_experts', 'num_experts', 'n_routed_experts'])
    assert.match(architectureOf({ ...inner, [name]: 8 }).why!, new RegExp(`mixture of experts \\(${name} is 8\\)`));
  assert.match(architectureOf({ ...inner, intermediate_size: 'x' }).why!, /no positive number under intermediate_size/);
  assert.match(architectureOf({}).why!, /num_hidden_layers/);
});

test('the search keeps to its budgets and rules, and finds no worse than any shape it may take', () => {
  const [flops, parameters, tokens] = [1e24, 8, 10];
  const found = searchShapes({ flops, parameters, tokens }, 10_000);
  assert.ok(found.length > 100);
  for (const shape of found) {
    assert.ok(shape.flops <= flops * (1 + 1e-12) && shape.parameters <= parameters && shape.tokens <= tokens);
    assert.ok(shape.hidden % 1024 === 0 && shape.feedForward % 4096 === 0 && shape.layers % 8 >= 6);
  }
  const scores = found.map(({ score }) => score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  const own = { layers: 30, hidden: 4096, feedForward: 12288 };
  const size = estimatedParameters(own);
  const ours = predictScore({ ...own, parameters: size, tokens: Math.min(10, flops / (6 * size * 1e21)) });
  assert.ok(scores[0] >= ours.score && found.some(({ score }) => Math.abs(score - ours.score) < 1e-9));
  assert.deepEqual(searchShapes({ parameters: leastParameters * 0.99 }), []);
});

test('the error band is Student t times the root mean square error over the known models', () => {
  const { rmse, halfWidth } = errorBand();
  const squares = golden.map(([, , , , , , , score], i) => (score - knownModels[i].published) ** 2);
  assert.ok(Math.abs(rmse - Math.sqrt(squares.reduce((a, b) => a + b, 0) / 8)) < 0.01);
  // scipy.stats.t.ppf(0.95, 8)
  assert.ok(Math.abs(halfWidth / rmse - 1.8595480375) < 1e-9);
});
