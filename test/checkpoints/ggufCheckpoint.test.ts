import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { folder } from '../data/files.ts';
import { complaint, counting, file, ggufBytes, llamaMetadata } from './files.ts';

const reference = join(import.meta.dirname, '../reference/gguf');

test('a Llama converted to GGUF has the names, shapes and numbers that transformers loads from it', async () => {
  const path = join(reference, 'llama.gguf');
  const checkpoint = openCheckpoint(path);
  const expected = readSafetensors(join(reference, 'llama.safetensors'));
  assert.deepEqual([...checkpoint.tensors.keys()].sort(), expected.names().sort());
  for (const name of expected.names()) assert.deepEqual(checkpoint.read(name), expected.tensor(name), name);
  const { dtype, shape, byteLength } = checkpoint.tensors.get('model.layers.1.self_attn.q_proj.weight')!;
  assert.deepEqual({ dtype, shape, byteLength }, { dtype: 'Q5_1', shape: [32, 32], byteLength: 32 * 24 });
  assert.deepEqual([checkpoint.name, checkpoint.format, checkpoint.files], ['llama', 'gguf', [path]]);
  const hash = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(await checkpoint.sha256(), hash(hash(readFileSync(path))));
});

test('its config.json is that of the model', () => {
  assert.deepEqual(openCheckpoint(join(reference, 'llama.gguf')).config, {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: 64,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 8,
    hidden_act: 'silu',
    rms_norm_eps: 1e-5,
    max_position_embeddings: 128,
    rope_theta: 50000,
    rope_scaling: null,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: false,
    bos_token_id: null,
    eos_token_id: null,
    pad_token_id: null,
  });
});

type Changes = Parameters<typeof llamaMetadata>[0];

/** Opens a one-layer Llama with other metadata and further tensors. */
function open(root: string, changes: Changes = {}, tensors: ReturnType<typeof counting>[] = []) {
  const bytes = ggufBytes({
    metadata: llamaMetadata(changes),
    tensors: [counting('token_embd.weight', 5, 8), ...tensors],
  });
  return openCheckpoint(file(root, 'm.gguf', bytes));
}

test('query and key rows go from pairs to halves head by head, biases too; values stay', (t) => {
  const checkpoint = open(folder(t, {}), {}, [
    counting('blk.0.attn_q.weight', 8, 8),
    counting('blk.0.attn_k.weight', 4, 8),
    counting('blk.0.attn_v.weight', 4, 8),
    counting('blk.0.attn_q.bias', 8),
  ]);
  const rows = (name: string) =>
    [...checkpoint.read(`model.layers.0.self_attn.${name}`)].filter((_, i) => i % 8 === 0).map((x) => x / 8);
  // Two query heads of four rows: pairs (0,1) (2,3) become halves (0,2) (1,3).
  assert.deepEqual(rows('q_proj.weight'), [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.deepEqual(rows('k_proj.weight'), [0, 2, 1, 3]);
  assert.deepEqual(rows('v_proj.weight'), [0, 1, 2, 3]);
  assert.deepEqual([...checkpoint.read('model.layers.0.self_attn.q_proj.bias')], [0, 2, 1, 3, 4, 6, 5, 7]);
  assert.equal(checkpoint.config.attention_bias, true);
});

test('keys that may be missing have the values of llama.cpp', (t) => {
  const { config } = open(folder(t, {}), { 'llama.attention.head_count_kv': undefined });
  assert.deepEqual(
    [config.num_key_value_heads, config.rope_theta, config.rope_scaling, config.head_dim, config.tie_word_embeddings],
    [2, 10000, null, 4, true],
  );
  assert.equal(config.rms_norm_eps, 1e-6);
  assert.equal(config.pooling_type, undefined);
  assert.equal(open(folder(t, {}), { 'llama.pooling_type': { u32: 3 } }).config.pooling_type, 3);
});

test('rotary scaling: linear in both spellings, YaRN', (t) => {
  const root = folder(t, {});
  const scaling = (changes: Changes) => open(root, changes).config.rope_scaling;
  assert.deepEqual(scaling({ 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': { f32: 2.5 } }), {
    rope_type: 'linear',
    factor: 2.5,
  });
  assert.deepEqual(scaling({ 'llama.rope.scale_linear': { f32: 4 } }), { rope_type: 'linear', factor: 4 });
  assert.deepEqual(
    scaling({
      'llama.rope.scaling.type': 'yarn',
      'llama.rope.scaling.factor': { f32: 8 },
      'llama.rope.scaling.original_context_length': { u32: 4096 },
    }),
    { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 4096 },
  );
  assert.equal(scaling({ 'llama.rope.scaling.type': 'none' }), null);
  // llama.cpp: a factor without a type is linear; none has none; 0 stands for no scaling.
  assert.deepEqual(scaling({ 'llama.rope.scaling.factor': { f32: 4 } }), { rope_type: 'linear', factor: 4 });
  assert.equal(scaling({ 'llama.rope.scaling.factor': { f32: 1 } }), null);
  assert.equal(scaling({ 'llama.rope.scaling.type': 'none', 'llama.rope.scaling.factor': { f32: 4 } }), null);
  assert.equal(scaling({ 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': { f32: 0 } }), null);
  assert.equal(scaling({ 'llama.rope.scaling.yarn_ext_factor': { f32: -1 } }), null);
});

test('the scaling of Llama 3 is found from the divisors that transformers computes', (t) => {
  const root = folder(t, {});
  const cases = JSON.parse(readFileSync(join(reference, 'rope.json'), 'utf8')) as {
    factor: number;
    head: number;
    theta: number;
    divisors: number[];
  }[];
  assert.equal(cases.length, 2);
  for (const { factor, head, theta, divisors } of cases) {
    const changes: Changes = {
      'llama.attention.key_length': { u32: head },
      'llama.attention.value_length': { u32: head },
      'llama.rope.freq_base': { f32: theta },
    };
    const tensor = {
      name: 'rope_freqs.weight',
      type: 0,
      shape: [head / 2],
      data: Buffer.from(Float32Array.from(divisors).buffer),
    };
    const checkpoint = open(root, changes, [tensor]);
    assert.deepEqual(checkpoint.config.rope_scaling, {
      rope_type: 'llama3',
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    });
    assert.equal(checkpoint.tensors.has('rope_freqs.weight'), false);
    tensor.data.writeFloatLE(1.5, 4 * 3);
    assert.match(
      complaint(() => open(root, changes, [tensor]), root),
      /its rope_freqs\.weight is not that of a Llama 3 model/,
    );
  }
});

test('a file that was joined from parts, and a sliding window', (t) => {
  const root = folder(t, {});
  assert.equal(open(root, { 'split.count': { u32: 0 } }).config.model_type, 'llama'); // llama-gguf-split --merge leaves 0
  assert.equal(open(root, { 'split.count': { u32: 1 } }).config.model_type, 'llama');
  const windowed = open(root, { 'llama.attention.sliding_window': { u32: 16 } }).config;
  assert.deepEqual([windowed.model_type, windowed.sliding_window], ['mistral', 16]);
  const whole = open(root, { 'llama.attention.sliding_window': { u32: 0 } }).config;
  assert.deepEqual([whole.model_type, whole.sliding_window], ['llama', undefined]);
});

/** What is wrong -> metadata, tensors and what is said. */
const refused: Record<string, [Changes, ReturnType<typeof counting>[], RegExp]> = {
  'no architecture': [{ 'general.architecture': undefined }, [], /its metadata lack general\.architecture/],
  'another architecture': [
    { 'general.architecture': 'mamba' },
    [],
    /GGUF files of architecture "mamba" are not supported; the nearest that is: llama; supported: llama, smollm3, .*; where the model is of a supported family, take it as a Hugging Face folder/,
  ],
  'an architecture that every object has': [
    { 'general.architecture': 'constructor' },
    [],
    /architecture "constructor" are not supported/,
  ],
  'a missing key': [{ 'llama.block_count': undefined }, [], /its metadata lack llama\.block_count/],
  'a key of another type': [
    { 'llama.block_count': 'three' },
    [],
    /its metadata give llama\.block_count as "three"; a positive whole number is needed/,
  ],
  'different heads per layer': [
    { 'llama.attention.head_count': { i32s: [2, 4] } },
    [],
    /give llama\.attention\.head_count as a list of 2; a positive whole number/,
  ],
  experts: [
    { 'llama.expert_count': { u32: 8 } },
    [],
    /a model of architecture "llama" with llama\.expert_count 8 is not supported/,
  ],
  'partial rotation': [
    { 'llama.rope.dimension_count': { u32: 2 } },
    [],
    /llama\.rope\.dimension_count is 2, a head has 4 numbers/,
  ],
  'unknown rotary scaling': [
    { 'llama.rope.scaling.type': 'longrope' },
    [],
    /rotary scaling "longrope" is not supported, only none, linear and yarn/,
  ],
  'a YaRN with a factor of its own': [
    { 'llama.rope.scaling.yarn_log_multiplier': { f32: 0.5 } },
    [],
    /llama\.rope\.scaling\.yarn_log_multiplier 0\.5 is not supported; take the Hugging Face folder/,
  ],
  'rotary positions without the ramp of YaRN': [
    { 'llama.rope.scaling.yarn_ext_factor': { f32: 0 } },
    [],
    /llama\.rope\.scaling\.yarn_ext_factor 0 is not supported/,
  ],
  'an encoder': [
    { 'llama.attention.causal': false },
    [],
    /llama\.attention\.causal is false, as of encoders; only models/,
  ],
  'layers that predict further tokens': [
    { 'llama.nextn_predict_layers': { u32: 1 } },
    [],
    /with llama\.nextn_predict_layers 1 is not supported/,
  ],
  'scores that change with the position': [
    { 'llama.attention.temperature_scale': { f32: 0.1 } },
    [],
    /with llama\.attention\.temperature_scale 0\.1 is not supported/,
  ],
  "a part without a part's name": [
    { 'split.count': { u32: 3 } },
    [],
    /it is one of 3 parts of a model, and its name does not say/,
  ],
  'a tensor of an unknown name': [
    {},
    [counting('blk.0.attn_q_norm.weight', 4)],
    /tensor blk\.0\.attn_q_norm\.weight is none that a model of architecture "llama" is known to have/,
  ],
  'a tensor name that every object has': [{}, [counting('toString.weight', 4)], /tensor toString\.weight is none/],
};

for (const [what, [changes, tensors, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, (t) => {
    const root = folder(t, {});
    const said = complaint(() => open(root, changes, tensors), root);
    assert.match(said, message);
    assert.match(said, /^m\.gguf: /);
  });
}

test('a tensor that is not there, and rows that do not divide into heads', (t) => {
  const root = folder(t, {});
  const checkpoint = open(root, {}, [counting('blk.0.attn_q.weight', 4, 8)]);
  assert.match(
    complaint(() => checkpoint.read('model.norm.weight'), root),
    /^m\.gguf has no tensor model\.norm\.weight; nearest of its 2 tensors: /,
  );
  assert.match(
    complaint(() => open(root, {}, [counting('blk.0.attn_q.weight', 6, 8)]), root),
    /^m\.gguf: the 6 rows of blk\.0\.attn_q\.weight do not divide into 2 heads of an even size/,
  );
});
