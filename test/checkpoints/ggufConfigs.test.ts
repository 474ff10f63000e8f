/**
 * What metadata of an architecture mean for `config.json`, where the reference files (test/engine/ggufFamilies.test.ts)
 * have only one of the ways; and what is refused.
 */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { rotaryDim } from '../../server/src/models/rotary.ts';
import { folder } from '../data/files.ts';
import { complaint, counting, file, ggufBytes } from './files.ts';
import type { Value } from './files.ts';

type Changes = Record<string, Value | undefined>;

/** Metadata of a model of an architecture; keys of `changes` are without its name. */
function bytes(id: string, changes: Changes, tensors: ReturnType<typeof counting>[]) {
  const all: Changes = {
    block_count: { u32: 1 },
    context_length: { u32: 64 },
    embedding_length: { u32: 8 },
    feed_forward_length: { u32: 16 },
    'attention.head_count': { u32: 2 },
    'attention.layer_norm_rms_epsilon': { f32: 1e-6 },
    'attention.layer_norm_epsilon': { f32: 1e-5 },
    ...changes,
  };
  const own = Object.entries(all).flatMap(([key, value]) =>
    value === undefined ? [] : [[`${id}.${key}`, value] as [string, Value]],
  );
  return ggufBytes({
    metadata: [['general.architecture', id], ...own],
    tensors: [counting('token_embd.weight', 5, 8), counting('blk.0.ffn_down.weight', 8, 16), ...tensors],
  });
}

const open = (t: TestContext, id: string, changes: Changes = {}, tensors: ReturnType<typeof counting>[] = []) =>
  openCheckpoint(file(folder(t, {}), 'm.gguf', bytes(id, changes, tensors)));
const configOf = (...given: Parameters<typeof open>) => open(...given).config;

test('Gemma 3: layers with a window by a number or by a list, rotary bases of both kinds', (t) => {
  const of = (changes: Changes) => configOf(t, 'gemma3', { 'attention.sliding_window': { u32: 512 }, ...changes });
  const plain = of({ 'rope.freq_base': { f32: 1e6 } });
  assert.deepEqual(
    [plain.sliding_window_pattern, plain.layer_types, plain.rope_theta, plain.rope_local_base_freq],
    [undefined, undefined, 1e6, 10_000],
  );
  assert.equal(of({ 'attention.sliding_window_pattern': { u32: 5 } }).sliding_window_pattern, 5);
  assert.deepEqual(
    of({ block_count: { u32: 2 }, 'attention.sliding_window_pattern': { flags: [true, false] } }).layer_types,
    ['sliding_attention', 'full_attention'],
  );
  assert.equal(of({ final_logit_softcapping: { f32: 30 } }).final_logit_softcapping, 30);
  assert.deepEqual(of({ 'rope.scaling.type': 'linear', 'rope.scaling.factor': { f32: 8 } }).rope_scaling, {
    rope_type: 'linear',
    factor: 8,
  });
});

test('Gemma: scores are scaled by the size of a head, in the largest models by the width per head', (t) => {
  const scalar = (id: string, layers: number) =>
    configOf(t, id, {
      block_count: { u32: layers },
      'attention.sliding_window': { u32: 512 },
      'attention.key_length': { u32: 32 },
      'attention.value_length': { u32: 32 },
    }).query_pre_attn_scalar;
  assert.deepEqual([scalar('gemma2', 42), scalar('gemma2', 46)], [32, 4]);
  assert.deepEqual([scalar('gemma3', 34), scalar('gemma3', 62)], [32, 4]);
});

test('Gemma 2: soft caps and window of the first files, which lack the keys', (t) => {
  const config = configOf(t, 'gemma2');
  assert.deepEqual(
    [config.attn_logit_softcapping, config.final_logit_softcapping, config.sliding_window],
    [50, 30, 4096],
  );
});

test('Phi-3: another factor of cos and sin than LongRoPE’s own is kept', (t) => {
  const floats = (name: string, ...values: number[]) => ({
    ...counting(name, values.length),
    data: Buffer.from(Float32Array.from(values).buffer),
  });
  const factors = [floats('rope_factors_long.weight', 2.5, 4), floats('rope_factors_short.weight', 1, 1.1)];
  const of = (factor: number) =>
    configOf(
      t,
      'phi3',
      {
        'rope.scaling.original_context_length': { u32: 16 },
        'rope.scaling.attn_factor': { f32: factor },
        'attention.sliding_window': { u32: 0 },
      },
      factors,
    );
  const divisors = { rope_type: 'longrope', long_factor: [2.5, 4], short_factor: [1, 1.1] };
  assert.deepEqual(of(1.25).rope_scaling, { ...divisors, attention_factor: 1.25 });
  const own = Math.sqrt(1 + Math.log(64 / 16) / Math.log(16));
  assert.deepEqual(of(own).rope_scaling, divisors);
  assert.equal(of(own).sliding_window, null);
  assert.equal(open(t, 'phi3', {}, factors).tensors.has('rope_factors_long.weight'), false);
});

test('a part of each head is rotated: readers get back the number that the file has', (t) => {
  for (const size of [10, 14, 22, 80, 98, 112]) {
    for (let rotated = 2; rotated <= size; rotated += 2) {
      const config = configOf(t, 'stablelm', {
        embedding_length: { u32: 2 * size },
        'rope.dimension_count': { u32: rotated },
      });
      assert.equal(rotaryDim(config, size, 1), rotated, `${rotated} of ${size}`);
    }
  }
});

test('YaRN of a Qwen2 and of an OLMo 2', (t) => {
  const changes: Changes = {
    'rope.scaling.type': 'yarn',
    'rope.scaling.factor': { f32: 4 },
    'rope.scaling.original_context_length': { u32: 32 },
  };
  for (const id of ['qwen2', 'olmo2']) {
    const yarn = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 };
    assert.deepEqual(configOf(t, id, changes).rope_scaling, yarn);
  }
});

test('Mixture of experts: normalised weights by the key, else as llama.cpp has it', (t) => {
  const tensors = [
    counting('blk.0.ffn_gate_inp.weight', 4, 8),
    counting('blk.0.ffn_down_exps.weight', 4, 8, 6),
    counting('blk.0.ffn_down_shexp.weight', 8, 10),
  ];
  const changes: Changes = { expert_count: { u32: 4 }, expert_used_count: { u32: 2 } };
  const of = (id: string, more: Changes = {}) =>
    configOf(t, id, { ...changes, ...more }, id === 'qwen2moe' ? tensors : tensors.slice(0, 2));
  assert.deepEqual(
    [
      of('qwen2moe').norm_topk_prob,
      of('qwen3moe').norm_topk_prob,
      of('qwen2moe', { expert_weights_norm: true }).norm_topk_prob,
    ],
    [false, true, true],
  );
  const { moe_intermediate_size, shared_expert_intermediate_size, num_experts } = of('qwen2moe');
  assert.deepEqual([moe_intermediate_size, shared_expert_intermediate_size, num_experts], [6, 10, 4]);
  const expert = open(t, 'qwen3moe', changes, tensors.slice(0, 2)).read(
    'model.layers.0.mlp.experts.2.down_proj.weight',
  );
  assert.deepEqual(
    [...expert],
    Array.from({ length: 48 }, (_, i) => 96 + i),
  );
});

/** What is wrong -> architecture, metadata, tensors and what is said. */
const refused: Record<string, [string, Changes, ReturnType<typeof counting>[], RegExp]> = {
  'a window that the architecture does not have': [
    'olmo2', // OLMo 3 calls itself that
    { 'attention.sliding_window': { u32: 16 } },
    [],
    /a model of architecture "olmo2" with olmo2\.attention\.sliding_window 16 is not supported; take the Hugging Face folder/,
  ],
  'soft caps where there are none': [
    'qwen3',
    { attn_logit_softcapping: { f32: 50 } },
    [],
    /"qwen3" with qwen3\.attn_logit_softcapping 50 is not supported/,
  ],
  'experts that are chosen in another way': [
    'qwen3moe',
    { expert_count: { u32: 4 }, expert_used_count: { u32: 2 }, expert_gating_func: { u32: 2 } },
    [counting('blk.0.ffn_gate_inp.weight', 4, 8), counting('blk.0.ffn_down_exps.weight', 4, 8, 6)],
    /qwen3moe\.expert_gating_func is 2; only 1 \(softmax\) is supported/,
  ],
  'a fused projection that does not divide': [
    'gptneox',
    {},
    [counting('blk.0.attn_qkv.weight', 20, 8)],
    /the 20 rows of blk\.0\.attn_qkv\.weight do not divide into 2 and twice 2 heads/,
  ],
  'an architecture that is near another': [
    'qwen2vl',
    {},
    [],
    /architecture "qwen2vl" are not supported; the nearest that is: qwen2; supported: llama/,
  ],
  'a Gemma 3 without a window': ['gemma3', {}, [], /its metadata lack gemma3\.attention\.sliding_window/],
};

for (const [what, [id, changes, tensors, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, (t) => {
    const root = folder(t, {});
    const path = file(root, 'm.gguf', bytes(id, changes, tensors));
    assert.match(
      complaint(() => openCheckpoint(path), root),
      message,
    );
  });
}
