/**
 * What the families read of config.json, and the tables they feed. Gradients of every family are compared with PyTorch
 * in test/engine/gradients.test.ts over the cases of test/reference.
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
  assert.deepEqual(types, [
    ...[
      'llama',
      'mistral',
      'ministral',
      'qwen2',
      'qwen3',
      'smollm3',
      'olmo2',
      'stablelm',
      'gemma',
      'gemma2',
      'gemma3_text',
      'phi',
    ],
    ...['phi3', 'gpt2', 'gpt_neox', 'opt', 'falcon', 'mixtral', 'qwen2_moe', 'qwen3_moe'],
  ]);
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

/** Families with Llama's seven modules, by what differs: rows of q and of k and v, columns of o. */
const sizes: [Record<string, unknown>, { q: number; kv: number }][] = [
  [{ model_type: 'qwen2' }, { q: 16, kv: 8 }],
  [
    { model_type: 'qwen2', head_dim: 6 },
    { q: 24, kv: 12 },
  ],
  [
    { model_type: 'qwen2', num_key_value_heads: null },
    { q: 16, kv: 16 },
  ],
  [
    { model_type: 'qwen3', head_dim: 6 },
    { q: 24, kv: 12 },
  ],
  [{ model_type: 'qwen3' }, { q: 512, kv: 256 }], // transformers' 128 for a missing head_dim
  [{ model_type: 'smollm3' }, { q: 16, kv: 8 }],
  [
    { model_type: 'smollm3', num_key_value_heads: undefined },
    { q: 16, kv: 16 },
  ], // and its 4 key-value heads
  [
    { model_type: 'olmo2', num_key_value_heads: undefined },
    { q: 16, kv: 16 },
  ],
  [
    { model_type: 'stablelm', partial_rotary_factor: 0.5 },
    { q: 16, kv: 8 },
  ],
  [{ model_type: 'gemma' }, { q: 1024, kv: 512 }], // transformers' 256 for a missing head_dim
  [
    { model_type: 'gemma2', head_dim: 6, num_key_value_heads: undefined },
    { q: 24, kv: 24 },
  ], // and its 4 key-value heads
  [
    { model_type: 'gemma3_text', head_dim: 6 },
    { q: 24, kv: 12 },
  ],
];

for (const [change, { q, kv }] of sizes) {
  test(`modules of ${JSON.stringify(change)}`, () => {
    const model = architectureOf({ ...base, ...change }, everything);
    assert.deepEqual(
      model.modules(0).map((m) => [m.name, m.rows, m.columns]),
      [
        ['self_attn.q_proj', q, 16],
        ['self_attn.k_proj', kv, 16],
        ['self_attn.v_proj', kv, 16],
        ['self_attn.o_proj', 16, q],
        ['mlp.gate_proj', 24, 16],
        ['mlp.up_proj', 24, 16],
        ['mlp.down_proj', 16, 24],
      ],
    );
  });
}

test('modules of Phi, and the fused ones of Phi-3', () => {
  const of = (type: string) => architectureOf({ ...base, model_type: type }, everything).modules(0);
  assert.deepEqual(of('phi'), [
    { name: 'self_attn.q_proj', rows: 16, columns: 16 },
    { name: 'self_attn.k_proj', rows: 8, columns: 16 },
    { name: 'self_attn.v_proj', rows: 8, columns: 16 },
    { name: 'self_attn.dense', rows: 16, columns: 16 },
    { name: 'mlp.fc1', rows: 24, columns: 16 },
    { name: 'mlp.fc2', rows: 16, columns: 24 },
  ]);
  assert.deepEqual(of('phi3'), [
    { name: 'self_attn.qkv_proj', rows: 32, columns: 16 },
    { name: 'self_attn.o_proj', rows: 16, columns: 16 },
    { name: 'mlp.gate_up_proj', rows: 48, columns: 16 },
    { name: 'mlp.down_proj', rows: 16, columns: 24 },
  ]);
});

/** Kinds of three layers; layers of one kind share a graph. */
const kinds: [Record<string, unknown>, string[]][] = [
  [{ model_type: 'llama' }, ['mask', 'mask', 'mask']],
  [{ model_type: 'mistral', sliding_window: 3 }, ['mask.window3', 'mask.window3', 'mask.window3']],
  // Mistral with `layer_types` is Ministral, whatever the list says.
  [
    {
      model_type: 'mistral',
      sliding_window: 3,
      layer_types: ['sliding_attention', 'full_attention', 'full_attention'],
    },
    ['mask.window3', 'mask', 'mask'],
  ],
  [{ model_type: 'mistral', layer_types: null }, ['mask.window4096', 'mask.window4096', 'mask.window4096']],
  [{ model_type: 'ministral', sliding_window: null }, ['mask', 'mask', 'mask']],
  [{ model_type: 'qwen2', sliding_window: 3, max_window_layers: 1 }, ['mask', 'mask', 'mask']],
  [
    { model_type: 'qwen2', use_sliding_window: true, sliding_window: 3, max_window_layers: 1 },
    ['mask', 'mask.window3', 'mask.window3'],
  ],
  [{ model_type: 'qwen2', use_sliding_window: true }, ['mask', 'mask', 'mask']], // from layer 28
  [{ model_type: 'qwen3', use_sliding_window: true, max_window_layers: 2 }, ['mask', 'mask', 'mask.window4096']],
  [
    {
      model_type: 'qwen3',
      use_sliding_window: true,
      sliding_window: 3,
      layer_types: ['sliding_attention', 'full_attention', 'attention'],
    },
    ['mask.window3', 'mask', 'mask'],
  ],
  [{ model_type: 'smollm3' }, ['mask rotary', 'mask rotary', 'mask rotary']], // the fourth has none
  [{ model_type: 'smollm3', no_rope_layer_interval: 2 }, ['mask rotary', 'mask plain', 'mask rotary']],
  [{ model_type: 'smollm3', no_rope_layers: [0, 1, 1, 0] }, ['mask plain', 'mask rotary', 'mask rotary']],
  [
    { model_type: 'smollm3', no_rope_layers: [0, 1, 1], use_sliding_window: true, sliding_window: 3 },
    ['mask.window3 plain', 'mask rotary', 'mask rotary'],
  ],
  [{ model_type: 'gemma' }, ['mask', 'mask', 'mask']],
  [{ model_type: 'gemma2', sliding_window: 3 }, ['mask.window3', 'mask', 'mask.window3']],
  [{ model_type: 'gemma3_text' }, ['mask.window4096', 'mask.window4096', 'mask.window4096']], // the sixth has none
  [
    { model_type: 'gemma3_text', sliding_window: 3, sliding_window_pattern: 2 },
    ['mask.window3', 'mask', 'mask.window3'],
  ],
  [
    {
      model_type: 'gemma3_text',
      sliding_window: 3,
      layer_types: ['full_attention', 'full_attention', 'sliding_attention'],
    },
    ['mask', 'mask', 'mask.window3'],
  ],
  [{ model_type: 'phi3', sliding_window: 3 }, ['mask.window3', 'mask.window3', 'mask.window3']],
  [{ model_type: 'phi3', sliding_window: null }, ['mask', 'mask', 'mask']],
];

for (const [change, expected] of kinds) {
  test(`kinds of layers of ${JSON.stringify(change)}`, () => {
    const model = architectureOf({ ...base, num_hidden_layers: 3, head_dim: 4, ...change }, everything);
    assert.deepEqual(
      [0, 1, 2].map((layer) => model.kind(layer)),
      expected,
    );
    const masks = Object.keys(model.tables(4, 4)).filter((name) => name.startsWith('mask'));
    assert.deepEqual(masks.sort(), [...new Set(expected.map((kind) => kind.split(' ')[0]))].sort());
  });
}

const longrope = { type: 'longrope', short_factor: [1, 2], long_factor: [3, 4] };
const sliding = { use_sliding_window: true, sliding_window: 3 };
const broken: [Record<string, unknown>, RegExp][] = [
  [
    { model_type: 'lama' },
    /model_type "lama" is not supported; the nearest name that is: llama; supported: llama, mistral, .* \(CONTRIBUTING\.md/,
  ],
  [{ model_type: 'qwen2x' }, /nearest name that is: qwen2;/],
  [{ model_type: 'stablelm_epoch' }, /nearest name that is: stablelm;/],
  [{ model_type: undefined }, /model_type null is not supported; supported: /],
  [{ is_causal: false }, /is_causal is false; only models in which a token sees none that come later/],
  [
    { partial_rotary_factor: 0.5 },
    /partial_rotary_factor is 0\.5; this family rotates whole heads, so only 1 is supported/,
  ],
  [
    { rope_parameters: { full_attention: { rope_theta: 10_000 } } },
    /rope_parameters\.full_attention is given; this family has the same rotary positions in all layers/,
  ],
  [
    { model_type: 'qwen2', num_key_value_heads: undefined },
    /num_attention_heads 4 is not a multiple of num_key_value_heads 32/,
  ],
  [
    { model_type: 'qwen2', ...sliding, layer_types: ['full_attention', 'chunked_attention'] },
    /layer_types\[1\] is "chunked_attention"; supported: full_attention, sliding_attention/,
  ],
  [
    { model_type: 'qwen3', sliding_window: 3, layer_types: ['full_attention', 'sliding_attention'] },
    /layer_types\[1\] is "sliding_attention", but use_sliding_window is false and sliding_window is 3;/,
  ],
  [
    { model_type: 'smollm3', use_sliding_window: true, layer_types: ['full_attention', 'sliding_attention'] },
    /"sliding_attention", but use_sliding_window is true and sliding_window is null/,
  ],
  [
    { model_type: 'qwen3', layer_types: ['full_attention'] },
    /layer_types is \["full_attention"\]; a list of 2 names is needed/,
  ],
  [{ model_type: 'qwen3', ...sliding, sliding_window: 0 }, /sliding_window is 0; a positive whole number is needed/],
  [{ model_type: 'qwen2', max_window_layers: -1 }, /max_window_layers is -1; a whole number from 0 is needed/],
  [
    { model_type: 'smollm3', no_rope_layers: [1] },
    /no_rope_layers is \[1\]; a list of 2 numbers is needed, 1 for a layer with/,
  ],
  [{ model_type: 'smollm3', no_rope_layers: [1, 2] }, /no_rope_layers is \[1,2\]/],
  [
    { model_type: 'smollm3', no_rope_layer_interval: 0 },
    /no_rope_layer_interval is 0; a positive whole number is needed/,
  ],
  [
    { model_type: 'stablelm' },
    /partial_rotary_factor 0\.25 rotates 1 of the 4 components of a head; an even number from 2 to 4 is needed/,
  ],
  [{ model_type: 'stablelm', head_dim: 6 }, /4 heads of 6 do not make up hidden_size 16/],
  [
    { model_type: 'stablelm', hidden_size: 24, partial_rotary_factor: 0.5 },
    /partial_rotary_factor 0\.5 rotates 3 of the 6 components of a head; an even number from 2 to 6 is needed/,
  ],
  [{ model_type: 'stablelm', qk_layernorm: 1 }, /qk_layernorm is 1; true or false is needed/],
  [
    { model_type: 'gemma', hidden_act: 'gelu', hidden_activation: 'gelu' },
    /hidden_activation is "gelu"; supported: null, "gelu_pytorch_tanh"/,
  ],
  [
    { model_type: 'gemma2', use_bidirectional_attention: true },
    /use_bidirectional_attention is true; supported: false, null/,
  ],
  [{ model_type: 'gemma2', sliding_window: null }, /sliding_window is null; a positive whole number is needed/],
  [
    { model_type: 'gemma2', layer_types: ['sliding_attention'] },
    /layer_types is \["sliding_attention"\]; a list of 2 names/,
  ],
  [{ model_type: 'gemma2', attn_logit_softcapping: 0 }, /attn_logit_softcapping is 0; a positive number is needed/],
  [{ model_type: 'gemma3_text', attn_logit_softcapping: 50 }, /attn_logit_softcapping is 50; supported: null/],
  [
    { model_type: 'gemma3_text', rope_parameters: { rope_theta: 10_000 } },
    /rope_parameters has the key "rope_theta"; Gemma 3 needs one setting for each of full_attention, sliding_attention/,
  ],
  [{ model_type: 'gemma3_text', rope_scaling: 8 }, /rope_scaling is 8; an object is needed/],
  [
    { model_type: 'phi', partial_rotary_factor: 0.25 },
    /partial_rotary_factor 0\.25 rotates 1 of the 4 components of a head; an even number from 2 to 4 is needed/,
  ],
  [{ model_type: 'phi', qk_layernorm: 'no' }, /qk_layernorm is "no"; true or false is needed/],
  [{ model_type: 'phi3', attention_bias: true }, /attention_bias is true; supported: false, null/],
  [{ model_type: 'phi3', lm_head_bias: true }, /lm_head_bias is true; supported: false, null/],
  [
    { model_type: 'phi3', rope_scaling: { type: 'linear', factor: 2 } },
    /rope_scaling\.rope_type is "linear"; supported: default, longrope, su, yarn/,
  ],
  [
    { model_type: 'phi3', rope_scaling: { ...longrope, long_factor: [3] } },
    /long_factor is \[3\]; a list of 2 positive numbers is needed/,
  ],
  [{ model_type: 'phi3', rope_scaling: { ...longrope, short_mscale: 1.2 } }, /short_mscale is 1\.2; supported: null/],
  [{ hidden_size: undefined }, /hidden_size is undefined; a positive whole number is needed/],
  [{ num_hidden_layers: -1 }, /num_hidden_layers is -1; a positive whole number is needed/],
  [{ num_key_value_heads: 3 }, /num_attention_heads 4 is not a multiple of num_key_value_heads 3/],
  [{ hidden_act: 'prelu' }, /hidden_act is "prelu", which is not supported because .*; supported: silu, /],
  [{ hidden_act: 'constructor' }, /hidden_act is "constructor"; supported: silu, /],
  [{ attention_bias: 'yes' }, /attention_bias is "yes"; true or false is needed/],
  [{ rms_norm_eps: 'small' }, /rms_norm_eps is "small"; a positive number is needed/],
  [
    { rope_scaling: { rope_type: 'spiral' } },
    /rotary scaling "spiral" is not supported; supported: default, linear, dynamic, yarn, longrope, llama3/,
  ],
  [{ rope_scaling: { rope_type: 'constructor' } }, /rotary scaling "constructor" is not supported/],
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

test('longrope: one list of divisors up to the trained length, another beyond it, and the factor of cos and sin', () => {
  const config = { ...base, model_type: 'phi3', original_max_position_embeddings: 8, rope_scaling: longrope };
  const model = architectureOf(config, everything);
  assert.equal(model.lengthMatters(8), false);
  assert.equal(model.lengthMatters(9), true);
  const scale = Math.sqrt(1 + Math.log(64 / 8) / Math.log(8)); // max_position_embeddings is 64
  const angles = (length: number) => {
    const sin = model.tables(length, length)['rotary.sin'].data;
    return [4, 5].map((i) => Math.asin(sin[i] / scale)); // both pairs at position 1
  };
  for (const [length, divisors] of [
    [8, [1, 2]],
    [9, [3, 4]],
  ] as const) {
    angles(length).forEach((angle, k) => assert.ok(Math.abs(angle - 10_000 ** (-k / 2) / divisors[k]) < 1e-6));
  }
  const named = { ...longrope, type: 'su' };
  assert.deepEqual(architectureOf({ ...config, rope_scaling: named }, everything).tables(9, 9), model.tables(9, 9));
});

test('Gemma 3: a rotary table for layers with a window and one, perhaps scaled, for the others', () => {
  const of = (config: Record<string, unknown>) =>
    architectureOf({ ...base, model_type: 'gemma3_text', head_dim: 4, ...config }, everything).tables(9, 9);
  const right = (config: Record<string, unknown>) => rotaryTables(rotary(config, 4), 9, 9).cos;
  assert.deepEqual(of({})['rotary.cos'], right({ rope_theta: 1_000_000 }));
  assert.deepEqual(of({})['rotary.local.cos'], right({ rope_theta: 10_000 }));
  const scaling = { rope_type: 'linear', factor: 8 };
  const v4 = of({ rope_theta: 500, rope_local_base_freq: 20, rope_scaling: scaling });
  assert.deepEqual(v4['rotary.cos'], right({ rope_theta: 500, rope_scaling: scaling }));
  assert.deepEqual(v4['rotary.local.cos'], right({ rope_theta: 20 }));
  const full = { ...scaling, rope_theta: 500 };
  const v5 = of({ rope_parameters: { full_attention: full, sliding_attention: { rope_theta: 20 } } });
  assert.deepEqual(v5, v4);
});

test('dynamic scaling depends on the length of the text, and only beyond the training length', () => {
  const dynamic = architectureOf({ ...base, rope_scaling: { rope_type: 'dynamic', factor: 2 } }, everything);
  assert.equal(dynamic.lengthMatters(64), false);
  assert.equal(dynamic.lengthMatters(65), true);
  assert.equal(architectureOf(base, everything).lengthMatters(10_000), false);
});

test('positions that a missing key stands for', () => {
  const cosOf = (config: Record<string, unknown>) =>
    architectureOf({ ...base, ...config }, everything).tables(9, 9)['rotary.cos'];
  assert.deepEqual(cosOf({ model_type: 'smollm3' }), cosOf({ rope_theta: 2_000_000 }));
  assert.deepEqual(cosOf({ model_type: 'qwen3', head_dim: 4 }), cosOf({ rope_theta: 10_000 }));
  assert.deepEqual(cosOf({ model_type: 'stablelm', hidden_size: 64 }).shape, [9, 4]);
  const v5 = { rope_theta: 100, partial_rotary_factor: 0.5 };
  assert.deepEqual(cosOf({ model_type: 'stablelm', hidden_size: 64, rope_parameters: v5 }).shape, [9, 8]);
});
