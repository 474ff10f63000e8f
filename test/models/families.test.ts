/**
 * What the families read of config.json, and the tables they feed. Gradients of every family are compared with PyTorch in
 * test/engine/gradients.test.ts over the cases of test/reference.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { architectureOf, families } from '../../server/src/models/families.ts';
import { causalMask } from '../../server/src/models/masks.ts';
import { rotary, rotaryTables } from '../../server/src/models/rotary.ts';

const base = {
  model_type: 'llama',
  num_hidden_layers: 2,
  hidden_size: 16,
  intermediate_size: 24,
  vocab_size: 40,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
};
const everything = { has: () => true };

test('every family has types of its own', () => {
  const types = families.flatMap((f) => f.modelTypes);
  assert.equal(new Set(types).size, types.length);
  assert.ok(types.includes('llama') && types.includes('mixtral'), types.join(', '));
});

test('modules of a block: names, rows and columns', () => {
  const model = architectureOf({ ...base, head_dim: 6 }, everything);
  assert.deepEqual(model.modules(0), [
    { name: 'self_attn.q_proj', rows: 24, columns: 16 },
    { name: 'self_attn.k_proj', rows: 12, columns: 16 },
    { name: 'self_attn.v_proj', rows: 12, columns: 16 },
    { name: 'self_attn.o_proj', rows: 16, columns: 24 },
    { name: 'mlp.gate_proj', rows: 24, columns: 16 },
    { name: 'mlp.up_proj', rows: 24, columns: 16 },
    { name: 'mlp.down_proj', rows: 16, columns: 24 },
  ]);
  assert.equal(model.layerName(1), 'model.layers.1');
});

const broken: [Record<string, unknown>, RegExp][] = [
  [
    { model_type: 'mistrel' },
    /model_type "mistrel" is not supported; the nearest name that is: mistral; supported: llama, mistral, .* \(CONTRIBUTING\.md/,
  ],
  [{ model_type: undefined }, /model_type null is not supported/],
  [{ hidden_size: undefined }, /hidden_size is undefined; a positive whole number is needed/],
  [{ num_hidden_layers: -1 }, /num_hidden_layers is -1; a positive whole number is needed/],
  [{ num_key_value_heads: 3 }, /num_attention_heads 4 is not a multiple of num_key_value_heads 3/],
  [{ hidden_act: 'mish' }, /hidden_act is "mish"; supported: silu, /],
  [{ attention_bias: 'yes' }, /attention_bias is "yes"; true or false is needed/],
  [{ rms_norm_eps: 'small' }, /rms_norm_eps is "small"; a positive number is needed/],
  [
    { rope_scaling: { rope_type: 'spiral' } },
    /rotary scaling "spiral" is not supported; supported: default, linear, dynamic, yarn, longrope, llama3/,
  ],
  [{ rope_scaling: { type: 'linear' } }, /factor is undefined; a positive number is needed/],
];

for (const [change, message] of broken) {
  test(`refuses ${JSON.stringify(change)}`, () => {
    assert.throws(() => architectureOf({ ...base, ...change }, everything), message);
  });
}

test('a causal mask hides what comes later, a window what is too far back', () => {
  const seen = (window: number | null) => {
    const { data, shape } = causalMask(4, window);
    return Array.from({ length: shape[0] }, (_, row) =>
      [...data.subarray(row * 4, row * 4 + 4)].map((x) => (x === 0 ? 1 : 0)).join(''),
    );
  };
  assert.deepEqual(seen(null), ['1000', '1100', '1110', '1111']);
  assert.deepEqual(seen(2), ['1000', '1100', '0110', '0011']);
});

test('rotary tables: angle p * theta^(-2k/d), each pair in both halves', () => {
  const { cos, sin } = rotaryTables(rotary({ rope_theta: 100 }, 4), 3, 3);
  assert.deepEqual(cos.shape, [3, 4]);
  const right = [2, 0.2, 2, 0.2];
  right.forEach((angle, k) => {
    assert.ok(Math.abs(cos.data[8 + k] - Math.cos(angle)) < 1e-6);
    assert.ok(Math.abs(sin.data[8 + k] - Math.sin(angle)) < 1e-6);
  });
});

test('only dynamic scaling depends on the length of the text, and only beyond the training length', () => {
  const dynamic = architectureOf({ ...base, rope_scaling: { rope_type: 'dynamic', factor: 2 } }, everything);
  assert.equal(dynamic.lengthMatters(64), false);
  assert.equal(dynamic.lengthMatters(65), true);
  assert.equal(architectureOf(base, everything).lengthMatters(10_000), false);
});

test('the head is tied when config says so or when there is no lm_head.weight', () => {
  const tensorsOf = (config: Record<string, unknown>, has: boolean) => {
    const names: string[] = [];
    const model = architectureOf({ ...base, ...config }, { has: () => has });
    const graph = { matMul: (x: unknown) => x, transpose: (x: unknown) => x };
    const builder = { graph, rmsNorm: (_: string, x: unknown) => x, weight: (name: string) => names.push(name) };
    model.head(builder as never, {} as never);
    return names;
  };
  assert.deepEqual(tensorsOf({}, true), ['lm_head.weight']);
  assert.deepEqual(tensorsOf({}, false), ['model.embed_tokens.weight']);
  assert.deepEqual(tensorsOf({ tie_word_embeddings: true }, true), ['model.embed_tokens.weight']);
});
