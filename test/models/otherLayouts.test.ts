/**
 * Families whose tensors are not named and laid out as Llama's: their modules, tensors outside the layers, and what
 * they refuse. Gradients are compared with PyTorch in test/engine/gradients.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint } from '../../server/src/checkpoints/types.ts';
import { architectureOf } from '../../server/src/models/families.ts';
import type { Architecture } from '../../server/src/models/types.ts';
import { limitsOf, requireTexts } from '../../server/src/run/inputs/sampleRefusals.ts';
import { scopeOf } from '../../server/src/run/inputs/scope.ts';
import { headGraph, embedGraph } from '../../server/src/engine/sweep/graphs.ts';

const bases = {
  gpt2: { n_embd: 16, n_layer: 2, n_head: 4, vocab_size: 40, n_positions: 20 },
  gpt_neox: { hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 2, vocab_size: 40 },
  opt: { hidden_size: 16, ffn_dim: 24, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 40 },
  falcon: { hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 40 },
  mixtral: {
    ...{ hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 8, vocab_size: 40 },
    num_local_experts: 2,
  },
  qwen2_moe: {
    ...{ hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 40 },
    ...{ num_key_value_heads: 4, num_experts: 1, num_experts_per_tok: 1, moe_intermediate_size: 6 },
    ...{ shared_expert_intermediate_size: 10, mlp_only_layers: [1] },
  },
  qwen3_moe: {
    ...{ hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 40 },
    ...{ num_experts: 1, num_experts_per_tok: 1, moe_intermediate_size: 6, decoder_sparse_step: 2 },
  },
} satisfies Record<string, Record<string, unknown>>;
type Type = keyof typeof bases;

function open(type: Type, change: Record<string, unknown> = {}, tensors?: string[]): Architecture {
  const has = (name: string) => tensors?.includes(name) ?? true;
  return architectureOf({ model_type: type, ...bases[type], ...change }, { has });
}

/** Of layer 0: name, rows and columns, `t` where stored as columns x rows. */
const modules: [Type, Record<string, unknown>, string[]][] = [
  ['gpt2', {}, ['attn.c_attn 48 16 t', 'attn.c_proj 16 16 t', 'mlp.c_fc 64 16 t', 'mlp.c_proj 16 64 t']],
  [
    'gpt2',
    { n_embd: undefined, hidden_size: 8, n_inner: 9 },
    ['attn.c_attn 24 8 t', 'attn.c_proj 8 8 t', 'mlp.c_fc 9 8 t', 'mlp.c_proj 8 9 t'],
  ],
  [
    'gpt_neox',
    {},
    ['attention.query_key_value 48 16', 'attention.dense 16 16', 'mlp.dense_h_to_4h 24 16', 'mlp.dense_4h_to_h 16 24'],
  ],
  [
    'opt',
    {},
    [
      ...['self_attn.q_proj 16 16', 'self_attn.k_proj 16 16', 'self_attn.v_proj 16 16', 'self_attn.out_proj 16 16'],
      ...['fc1 24 16', 'fc2 16 24'],
    ],
  ],
  // One key-value head beside 4; one each; two.
  [
    'falcon',
    {},
    [
      'self_attention.query_key_value 24 16',
      'self_attention.dense 16 16',
      'mlp.dense_h_to_4h 64 16',
      'mlp.dense_4h_to_h 16 64',
    ],
  ],
  [
    'falcon',
    { multi_query: false, ffn_hidden_size: 24 },
    [
      'self_attention.query_key_value 48 16',
      'self_attention.dense 16 16',
      'mlp.dense_h_to_4h 24 16',
      'mlp.dense_4h_to_h 16 24',
    ],
  ],
  [
    'falcon',
    { new_decoder_architecture: true, num_kv_heads: 2, ffn_hidden_size: 24 },
    [
      'self_attention.query_key_value 32 16',
      'self_attention.dense 16 16',
      'mlp.dense_h_to_4h 24 16',
      'mlp.dense_4h_to_h 16 24',
    ],
  ],
  [
    'mixtral',
    {},
    [
      ...['self_attn.q_proj 16 16', 'self_attn.k_proj 16 16', 'self_attn.v_proj 16 16', 'self_attn.o_proj 16 16'],
      'block_sparse_moe.gate 2 16',
      ...[0, 1].flatMap((e) => ['w1 24 16', 'w3 24 16', 'w2 16 24'].map((m) => `block_sparse_moe.experts.${e}.${m}`)),
    ],
  ],
  [
    'qwen2_moe',
    {},
    [
      ...['self_attn.q_proj 16 16', 'self_attn.k_proj 16 16', 'self_attn.v_proj 16 16', 'self_attn.o_proj 16 16'],
      'mlp.gate 1 16',
      ...['mlp.experts.0.gate_proj 6 16', 'mlp.experts.0.up_proj 6 16', 'mlp.experts.0.down_proj 16 6'],
      ...['mlp.shared_expert.gate_proj 10 16', 'mlp.shared_expert.up_proj 10 16', 'mlp.shared_expert.down_proj 16 10'],
      'mlp.shared_expert_gate 1 16',
    ],
  ],
  // Layer 0 has an ordinary MLP.
  [
    'qwen3_moe',
    {},
    [
      ...['self_attn.q_proj 16 16', 'self_attn.k_proj 16 16', 'self_attn.v_proj 16 16', 'self_attn.o_proj 16 16'],
      ...['mlp.gate_proj 24 16', 'mlp.up_proj 24 16', 'mlp.down_proj 16 24'],
    ],
  ],
];

for (const [type, change, expected] of modules) {
  test(`${type} ${JSON.stringify(change)}: modules`, () => {
    const shown = open(type, change)
      .modules(0)
      .map((m) => `${m.name} ${m.rows} ${m.columns}${m.transposed ? ' t' : ''}`);
    assert.deepEqual(shown, expected);
  });
}

test('layers with experts and layers without are of two kinds', () => {
  const mixed = open('qwen3_moe');
  assert.deepEqual([mixed.kind(0), mixed.kind(1)], ['dense mask', 'experts mask']);
  assert.equal(open('gpt2').kind(1), 'block');
  assert.equal(open('gpt2', { scale_attn_by_inverse_layer_idx: true }).kind(1), 'block 1');
});

/** Tensors outside the layers and the name of layer 1, for files with and without prefix, tied and untied heads. */
const names: [Type, Record<string, unknown>, string[], string[]][] = [
  [
    'gpt2',
    {},
    ['transformer.wte.weight'],
    [
      'transformer.wte.weight',
      'transformer.wpe.weight',
      'transformer.h.1',
      'transformer.ln_f.weight',
      'transformer.ln_f.bias',
      'transformer.wte.weight',
    ],
  ],
  ['gpt2', {}, ['wte.weight'], ['wte.weight', 'wpe.weight', 'h.1', 'ln_f.weight', 'ln_f.bias', 'wte.weight']],
  [
    'gpt2',
    { tie_word_embeddings: false },
    ['wte.weight', 'lm_head.weight'],
    ['wte.weight', 'wpe.weight', 'h.1', 'ln_f.weight', 'ln_f.bias', 'lm_head.weight'],
  ],
  [
    'gpt_neox',
    {},
    ['gpt_neox.embed_in.weight', 'embed_out.weight'],
    [
      'gpt_neox.embed_in.weight',
      'gpt_neox.layers.1',
      'gpt_neox.final_layer_norm.weight',
      'gpt_neox.final_layer_norm.bias',
      'embed_out.weight',
    ],
  ],
  [
    'gpt_neox',
    {},
    ['gpt_neox.embed_in.weight', 'lm_head.weight'],
    [
      'gpt_neox.embed_in.weight',
      'gpt_neox.layers.1',
      'gpt_neox.final_layer_norm.weight',
      'gpt_neox.final_layer_norm.bias',
      'lm_head.weight',
    ],
  ],
  [
    'opt',
    {},
    ['decoder.embed_tokens.weight'],
    [
      ...['decoder.embed_tokens.weight', 'decoder.embed_positions.weight', 'decoder.layers.1'],
      ...['decoder.final_layer_norm.weight', 'decoder.final_layer_norm.bias', 'decoder.embed_tokens.weight'],
    ],
  ],
  [
    'opt',
    { do_layer_norm_before: false, word_embed_proj_dim: 8 },
    [],
    [
      ...[
        'model.decoder.embed_tokens.weight',
        'model.decoder.project_in.weight',
        'model.decoder.embed_positions.weight',
      ],
      ...['model.decoder.layers.1', 'model.decoder.project_out.weight', 'model.decoder.embed_tokens.weight'],
    ],
  ],
  [
    'falcon',
    {},
    [],
    [
      'transformer.word_embeddings.weight',
      'transformer.h.1',
      'transformer.ln_f.weight',
      'transformer.ln_f.bias',
      'transformer.word_embeddings.weight',
    ],
  ],
];

for (const [type, change, tensors, expected] of names) {
  test(`${type} ${JSON.stringify(change)} with ${tensors.join(', ') || 'no known tensor'}: names`, () => {
    const model = open(type, change, tensors);
    const read = (graph: { weights: { tensor: string }[] }) => graph.weights.map((w) => w.tensor);
    assert.deepEqual([...read(embedGraph(model)), model.layerName(1), ...read(headGraph(model, false))], expected);
  });
}

const broken: [Type, Record<string, unknown>, RegExp][] = [
  ['gpt2', { n_head: 3 }, /n_embd 16 is not a multiple of n_head 3/],
  ['gpt2', { n_layer: undefined }, /n_layer is undefined; a positive whole number is needed/],
  [
    'gpt2',
    { add_cross_attention: true },
    /add_cross_attention is true; only decoders without an encoder are supported/,
  ],
  ['gpt2', { activation_function: 'xielu' }, /activation_function is "xielu", which .* weights .*; supported: silu, /],
  ['gpt_neox', { num_attention_heads: 3 }, /hidden_size 16 is not a multiple of num_attention_heads 3/],
  ['gpt_neox', { rotary_pct: 0.4 }, /rotary_pct is 0\.4, which rotates 3 of 8 components of a head; an even number/],
  ['gpt_neox', { rotary_pct: 2 }, /rotary_pct is 2, which rotates 16 of 8 components/],
  [
    'opt',
    { layer_norm_elementwise_affine: false },
    /layer_norm_elementwise_affine is false; only layer norms with weights/,
  ],
  ['opt', { activation_function: 'gelu_fats' }, /is "gelu_fats" \(did you mean "gelu_fast"\?\); supported: /],
  [
    'falcon',
    { new_decoder_architecture: true, parallel_attn: false },
    /parallel_attn is false; with new_decoder_architecture true only/,
  ],
  [
    'falcon',
    { new_decoder_architecture: true, num_ln_in_parallel_attn: 3 },
    /num_ln_in_parallel_attn is 3; supported: 1, 2/,
  ],
  [
    'falcon',
    { new_decoder_architecture: true, num_kv_heads: 3 },
    /num_attention_heads 4 is not a multiple of num_kv_heads 3/,
  ],
  [
    'falcon',
    { num_ln_in_parallel_attn: 2 },
    /num_ln_in_parallel_attn is 2; with new_decoder_architecture false only 1/,
  ],
  ['falcon', { multi_query: false, num_kv_heads: 2 }, /num_kv_heads is 2; .* only num_attention_heads 4 is supported/],
  ['falcon', { partial_rotary_factor: 0.5 }, /partial_rotary_factor below 1 is given; Falcon rotates whole heads/],
  ['mixtral', { num_experts_per_tok: 3 }, /num_experts_per_tok is 3, but a layer has 2 experts/],
  ['mixtral', { num_key_value_heads: 3 }, /num_attention_heads 8 is not a multiple of num_key_value_heads 3/],
  ['qwen2_moe', { mlp_only_layers: 0 }, /mlp_only_layers is 0; a list of layer numbers is needed/],
  [
    'qwen2_moe',
    { use_sliding_window: true, layer_types: ['chunked_attention', 'attention'] },
    /layer_types\[0\] is "chunked_attention"/,
  ],
  ['qwen3_moe', { decoder_sparse_step: 0 }, /decoder_sparse_step is 0; a positive whole number is needed/],
];

for (const [type, change, message] of broken) {
  test(`${type} refuses ${JSON.stringify(change)}`, () => assert.throws(() => open(type, change), message));
}

test('experts in one tensor are refused, with what to do', () => {
  const fused = 'model.layers.0.mlp.experts.gate_up_proj';
  assert.throws(
    () => open('mixtral', {}, [fused, 'lm_head.weight']),
    /gate_up_proj holds all experts of a layer; only one matrix per expert \(model\.layers\.0\.block_sparse_moe\.experts\.0\.w1\.weight\).*save_original_format=True/,
  );
  assert.throws(
    () => open('qwen3_moe', {}, ['model.layers.1.mlp.experts.gate_up_proj', 'lm_head.weight']),
    /only one matrix per expert \(model\.layers\.1\.mlp\.experts\.0\.gate_proj\.weight\)/,
  );
});

test('ALiBi: slope of the head times position of the key, in bfloat16, scaled with the scores', () => {
  const { alibi } = open('falcon', { hidden_size: 12, num_attention_heads: 3, alibi: true, multi_query: false }).tables(
    300,
    300,
  );
  assert.deepEqual(alibi.shape, [3, 1, 1, 300]);
  // Two heads of a power of two: 2^-4, 2^-8; the third takes the first of four: 2^-2. 257 needs 9 bits, bfloat16 has 8.
  const scale = 0.5;
  [2 ** -4, 2 ** -8, 2 ** -2].forEach((slope, head) => {
    assert.equal(alibi.data[head * 300 + 3], slope * 3 * scale);
    assert.equal(alibi.data[head * 300 + 257], slope * 256 * scale);
  });
});

test('samples longer than the table of positions are refused before the run', () => {
  const model = open('gpt2');
  const require = (of: Architecture, length: number): void => {
    const texts = [{ tokens: new Int32Array(length) }];
    requireTexts({ what: 'sample', task: 'sentiment', texts, tokenizer: null, ...limitsOf(of) }, 'score');
  };
  require(model, 20);
  require(open('falcon'), 9999);
  assert.throws(
    () => require(model, 21),
    /model\.max_length: a sample of task sentiment has 21 tokens, the model has positions for 20; set max_length to 20/,
  );
});

test('masks stored among the weights are no weights', () => {
  const model = open('gpt2', {}, ['wte.weight']);
  const shapes = new Map<string, number[]>([['wte.weight', [40, 16]]]);
  for (const layer of [0, 1]) {
    for (const { name, rows, columns } of model.modules(layer))
      shapes.set(`h.${layer}.${name}.weight`, [columns, rows]);
    shapes.set(`h.${layer}.attn.bias`, [1, 1, 20, 20]);
  }
  const tensors = new Map([...shapes].map(([name, shape]) => [name, { name, shape }]));
  const scope = scopeOf({ tensors, path: 'x' } as unknown as Checkpoint, model, { layers: 'all', modules: ['*'] });
  assert.equal(scope.coverage, 1);
  assert.equal(scope.parameters, 40 * 16 + scope.scoredParameters);
});
