/**
 * Which configuration is meant: two rotary settings, keys of other families, language models inside other models, and
 * the sweep.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { requireOwnMathematics, unreadKeys } from '../../server/src/models/configKeys.ts';
import { architectureOf, families } from '../../server/src/models/families.ts';
import { ropeConflict, ropeParameters } from '../../server/src/models/rotary.ts';
import { languageConfig } from '../../server/src/models/wrappers.ts';

const sizes = {
  num_hidden_layers: 2,
  hidden_size: 16,
  intermediate_size: 24,
  vocab_size: 40,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const llama = { model_type: 'llama', ...sizes };
const everything = { has: () => true };
const linear = { rope_type: 'linear', factor: 8 };
const plain = { rope_type: 'default', rope_theta: 300 };

test('rope_scaling counts before rope_parameters where it holds anything, whole', () => {
  assert.deepEqual(ropeParameters({ rope_scaling: linear, rope_parameters: plain }), linear);
  assert.deepEqual(ropeParameters({ rope_scaling: {}, rope_parameters: plain }), plain);
  assert.deepEqual(ropeParameters({ rope_scaling: null, rope_parameters: plain }), plain);
  assert.deepEqual(ropeParameters({}), {});
  assert.match(
    ropeConflict({ rope_scaling: linear, rope_parameters: plain })!,
    /rope_scaling is taken, as transformers/,
  );
  assert.equal(ropeConflict({ rope_scaling: plain, rope_parameters: plain }), null);
  assert.equal(ropeConflict({ rope_scaling: {}, rope_parameters: plain }), null);
  const cosOf = (config: Record<string, unknown>) =>
    architectureOf({ ...llama, ...config }, everything).tables(9, 9)['rotary.cos'];
  // The base of the setting that is not taken does not count either.
  assert.deepEqual(cosOf({ rope_scaling: linear, rope_parameters: plain }), cosOf({ rope_scaling: linear }));
  assert.notDeepEqual(cosOf({ rope_scaling: linear, rope_parameters: plain }), cosOf({ rope_parameters: plain }));
});

test('a scaling of Gemma 3 that has type but no rope_type stretches nothing, and is named', () => {
  const gemma = { ...llama, model_type: 'gemma3_text', head_dim: 8, sliding_window: 4 };
  const cosOf = (rope_scaling: unknown) =>
    architectureOf({ ...gemma, rope_scaling }, everything).tables(9, 9)['rotary.cos'];
  assert.deepEqual(cosOf({ type: 'linear', factor: 8 }), cosOf(null));
  assert.notDeepEqual(cosOf(linear), cosOf(null));
  assert.match(
    ropeConflict({ ...gemma, rope_scaling: { type: 'linear', factor: 8 } })!,
    /rope_type, which alone counts/,
  );
});

test('a setting that transformers reads in another place than it stands is refused', () => {
  const gemma = { ...llama, model_type: 'gemma3_text', head_dim: 8, sliding_window: 4 };
  const yarn = { rope_type: 'yarn', factor: 4, truncate: false };
  const settings = { full_attention: yarn, sliding_attention: plain };
  assert.throws(() => architectureOf({ ...gemma, rope_parameters: settings }, everything), /truncate is false/);
  assert.doesNotThrow(() => architectureOf({ ...llama, rope_parameters: yarn }, everything));
});

test('keys that a family does not have are named, those of other mathematics refused', () => {
  const housekeeping = { dtype: 'float32', use_cache: true, attention_dropout: 0, bos_token_id: 1, temperature: 0.6 };
  assert.equal(unreadKeys({ ...llama, ...housekeeping }), null);
  assert.match(
    unreadKeys({ ...llama, model_type: 'mistral', attention_bias: true, my_key: [1] })!,
    /attention_bias: true, my_key: \[1\] are no keys of model_type "mistral" and not read/,
  );
  for (const [key, value] of Object.entries({
    residual_multiplier: 0.2,
    attn_logit_softcapping: 50,
    num_local_experts: 8,
  })) {
    const message = new RegExp(`${key} is ${value}, which model_type "llama" does not have`);
    assert.throws(() => architectureOf({ ...llama, [key]: value }, everything), message);
  }
  for (const neutral of [{ residual_multiplier: 1 }, { attn_logit_softcapping: null }, { use_qk_norm: false }])
    assert.doesNotThrow(() => requireOwnMathematics({ ...llama, ...neutral }));
  assert.doesNotThrow(() => requireOwnMathematics({ ...llama, model_type: 'gemma2', attn_logit_softcapping: 50 }));
  // Every family has a row: a key of none is named in all.
  for (const type of families.flatMap(({ modelTypes }) => modelTypes))
    assert.match(unreadKeys({ model_type: type, of_no_family: 1 })!, /of_no_family: 1 is no key/, type);
});

test('Mistral has no biases, whatever its file says of them', () => {
  const model = architectureOf({ ...llama, model_type: 'mistral', attention_bias: true }, everything);
  assert.deepEqual(model.modules(0).length, 7);
});

test('num_experts and num_local_experts are two names of one thing', () => {
  const moe = { ...llama, num_experts_per_tok: 1, moe_intermediate_size: 6 };
  const count = (config: Record<string, unknown>) =>
    architectureOf({ ...moe, ...config }, everything)
      .modules(0)
      .filter(({ name }) => name.endsWith('up_proj') || name.endsWith('w3')).length;
  assert.equal(count({ model_type: 'qwen3_moe', num_local_experts: 3 }), 3);
  assert.equal(count({ model_type: 'qwen3_moe', num_experts: 3 }), 3);
  assert.equal(count({ model_type: 'mixtral', num_experts: 3 }), 3);
  assert.throws(() => count({ model_type: 'mixtral', num_experts: 3, num_local_experts: 4 }), /two names of one thing/);
});

test('the language model inside a model of several kinds of input', () => {
  const text = {
    ...llama,
    model_type: 'qwen3_vl_text',
    rope_scaling: { rope_type: 'default', mrope_section: [1, 1, 0] },
  };
  const qwen = { model_type: 'qwen3_vl', text_config: text, vision_config: {}, tie_word_embeddings: true };
  const inner = languageConfig({ ...qwen, architectures: ['Qwen3VLForConditionalGeneration'] });
  assert.equal(inner.model_type, 'qwen3');
  assert.deepEqual(inner.rope_scaling, { rope_type: 'default' });
  assert.equal(inner.tie_word_embeddings, true);
  // The first files of Qwen2-VL have the keys of the language model beside the others.
  const flat = {
    model_type: 'qwen2_vl',
    ...sizes,
    vision_config: {},
    rope_scaling: { type: 'mrope', mrope_section: [1, 1, 0] },
  };
  assert.deepEqual(languageConfig(flat).rope_scaling, { type: 'default' });
  assert.equal(architectureOf(flat, everything).family, 'qwen2');
  const llava = { model_type: 'llava', text_config: { ...llama, tie_word_embeddings: true } };
  assert.equal(languageConfig(llava).tie_word_embeddings, true);
  assert.equal(languageConfig({ ...llava, model_type: 'llava_next' }).tie_word_embeddings, false);
  assert.equal(languageConfig({ model_type: 'gemma3', text_config: llama }).tie_word_embeddings, true);
  assert.equal(languageConfig(llama), llama);
  const refused = (config: Record<string, unknown>, message: RegExp) =>
    assert.throws(() => architectureOf(config, everything), message);
  refused({ ...llava, architectures: ['LlavaForSequenceClassification'] }, /of these only the language model of/);
  refused(
    { model_type: 'mllama', architectures: ['MllamaForConditionalGeneration'], text_config: llama },
    /names MllamaForConditionalGeneration, model_type "mllama" .* not supported; the language models of these are: gemma3, /,
  );
  refused({ model_type: 'constructor', text_config: llama }, /model_type "constructor"/);
});

test('the sweep over random settings of every family agrees with transformers (test/reference/conform)', () => {
  const read = (name: string) => {
    const file = path.join(import.meta.dirname, '../reference/conform', name);
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, Record<string, number>>;
  };
  const rows = { ...read('summary.json') };
  const sum = (key: string) => Object.values(rows).reduce((total, row) => total + row[key], 0);
  for (const type of families.flatMap(({ modelTypes }) => modelTypes)) assert.ok(rows[type].agree >= 10, type);
  assert.ok(rows.wrappers.agree === 28 && rows.wrappers.compared === 28);
  for (const [name, row] of Object.entries(rows)) {
    assert.equal(row.agree + row.refused, row.compared, `${name}: no model is read as another`);
    assert.ok(row.refused <= row.compared / 3, `${name}: ${row.refused} of ${row.compared} refused`);
    assert.ok(row.largest <= (name === 'classification' ? 1e-6 : 3e-7), name);
  }
  assert.ok(rows.classification.agree >= 90 && sum('compared') >= 600);
});
