/** Which matrix is the head: what transformers 5 does with the configuration and the tensors of the file (head.ts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embedGraph, headGraph } from '../../server/src/engine/sweep/graphs.ts';
import { architectureKinds, headKind } from '../../server/src/models/architectures.ts';
import { architectureOf } from '../../server/src/models/families.ts';
import { classifiedPosition } from '../../server/src/models/head.ts';

const sizes = {
  rotary_pct: 0.5,
  num_hidden_layers: 2,
  hidden_size: 16,
  intermediate_size: 24,
  vocab_size: 40,
  num_attention_heads: 4,
};
const embeddings: Record<string, string> = {
  llama: 'model.embed_tokens.weight',
  smollm3: 'model.embed_tokens.weight',
  gemma2: 'model.embed_tokens.weight',
  gpt2: 'transformer.wte.weight',
  gpt_neox: 'gpt_neox.embed_in.weight',
  opt: 'model.decoder.embed_tokens.weight',
  falcon: 'transformer.word_embeddings.weight',
};
/** What transformers takes for a missing `tie_word_embeddings`. */
const tiedByDefault = ['smollm3', 'gemma2', 'gpt2', 'opt', 'falcon'];

function open(type: string, tensors: string[], change: Record<string, unknown> = {}) {
  const config = { model_type: type, ...sizes, ffn_dim: 24, n_embd: 16, n_layer: 2, n_head: 4, ...change };
  return architectureOf(config, { has: (name) => tensors.includes(name) });
}

for (const [type, embedding] of Object.entries(embeddings)) {
  const head = type === 'gpt_neox' ? 'embed_out.weight' : 'lm_head.weight';
  test(`${type}: configuration and tensors decide which matrix is the head`, () => {
    const read = (tensors: string[], change: Record<string, unknown>) => {
      const model = open(type, tensors, change);
      return [embedGraph(model).weights[0].tensor, headGraph(model, false).weights.at(-1)!.tensor];
    };
    const [tied, untied] = [{ tie_word_embeddings: true }, { tie_word_embeddings: false }];
    assert.deepEqual(read([embedding], tied), [embedding, embedding]);
    assert.deepEqual(read([embedding, head], tied), [embedding, head]);
    assert.deepEqual(read([head], tied), [head, head]);
    assert.deepEqual(read([embedding, head], untied), [embedding, head]);
    assert.throws(() => read([embedding], untied), /tie_word_embeddings is false, and the file has no /);
    assert.deepEqual(open(type, [embedding, head], tied).outputs?.twins, [head, embedding]);
    assert.equal(open(type, [embedding, head], untied).outputs?.twins, null);
    const missing = () => read([embedding], {});
    if (tiedByDefault.includes(type)) assert.deepEqual(missing(), [embedding, embedding]);
    else assert.throws(missing, /not given, which means false for this family/);
  });
}

test('a sequence classifier has a head of its own, and classes', () => {
  const names = { architectures: ['LlamaForSequenceClassification'], id2label: { 0: 'no', 1: 'yes', 2: 'perhaps' } };
  const all = ['model.embed_tokens.weight', 'lm_head.weight', 'score.weight'];
  const { outputs } = open('llama', all, { ...names, pad_token_id: 0 });
  assert.deepEqual(
    { output: outputs?.output, rows: outputs?.rows, classes: outputs?.classes },
    { output: 'score.weight', rows: 3, classes: { count: 3, names: ['no', 'yes', 'perhaps'], padding: 0 } },
  );
  assert.equal(open('llama', all, { ...names, id2label: undefined, num_labels: 4 }).outputs?.rows, 4);
  assert.equal(open('llama', all, { ...names, id2label: undefined }).outputs?.rows, 2);
  assert.throws(() => open('llama', all.slice(0, 2), names), /has no tensor score\.weight/);
  assert.throws(() => open('llama', all, { ...names, id2label: { 0: 'reward' } }), /1 output .* as reward models/);
  assert.throws(() => open('llama', all, { ...names, problem_type: 'regression' }), /problem_type is "regression"/);
  assert.throws(() => open('llama', all, { ...names, id2label: { 1: 'a', 2: 'b' } }), /no name for class 0 of 2/);
  // The same tensors without the class's name: nothing says which head is meant.
  assert.throws(() => open('llama', [all[0], all[2]]), /has no lm_head\.weight but score\.weight: name its class/);
});

test('a classifier reads the last token that is no padding', () => {
  const at = (tokens: number[], padding: number | null) =>
    classifiedPosition(tokens, { count: 2, names: ['a', 'b'], padding });
  assert.equal(at([5, 6, 7], 0), 2);
  assert.equal(at([5, 6, 0, 0], 0), 1);
  assert.equal(at([5, 6, 0, 0], null), 3);
  assert.equal(at([5, 0, 6], 0), 2);
  assert.equal(at([0, 0], 0), 0);
});

test('classes with other heads are refused by name', () => {
  const of = (name: string) => headKind({ architectures: [name] });
  for (const name of ['LlamaForCausalLM', 'GPT2LMHeadModel', 'Gemma3ForConditionalGeneration', 'GPT2DoubleHeadsModel'])
    assert.equal(of(name), 'language', name);
  assert.equal(of('Qwen3ForSequenceClassification'), 'classes');
  assert.equal(headKind({}), 'language');
  assert.equal(headKind({ architectures: [] }), 'language');
  const refused = [
    'Qwen3ForTokenClassification',
    'LlamaForQuestionAnswering',
    'Qwen3Model',
    'GPT2Model',
    'BertForMaskedLM',
  ];
  for (const name of [
    ...refused,
    'Qwen2ForProcessRewardModel',
    'LlamaForCausalLMEagle3',
    'LlamaWithSomething',
    'constructor',
  ])
    assert.throws(() => of(name), new RegExp(`architectures names ${name}: .*supported: \\.\\.\\.ForCausalLM`), name);
  assert.throws(() => headKind({ architectures: 'LlamaForCausalLM' }), /a list of class names is needed/);
  assert.ok(architectureKinds.every(({ head, title }) => head !== null || title.length > 0));
});
