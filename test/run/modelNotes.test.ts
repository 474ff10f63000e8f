/** What is said of models whose files disagree, and classes of a classifier from the rows of a task. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { inspectModel } from '../../server/src/run/inputs/inspect.ts';
import { modelNotes } from '../../server/src/run/inputs/modelNotes.ts';
import { prepare } from '../../server/src/run/inputs/prepare.ts';
import { architecture, requireLanguageModel } from '../../server/src/run/inputs/scope.ts';
import { copyCase, rawTensors } from '../checkpoints/rewrite.ts';
import { folder } from '../data/files.ts';
import { casesFolder } from '../engine/reference.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { writeTinyAdapter } from './workspace.ts';

const tied = path.join(casesFolder, 'llama/tied');
const classifier = path.join(casesFolder, 'classification/llama');

function notesOf(target: string): string[] {
  const checkpoint = openCheckpoint(target);
  return modelNotes(checkpoint, architecture(checkpoint));
}

test('a tied model with a head of its own: a warning where the two differ, none where they are one', (t) => {
  const tensors = rawTensors(tied);
  const embedding = tensors.find(({ name }) => name === 'model.embed_tokens.weight')!;
  const same = copyCase(tied, folder(t, {}), [...tensors, { ...embedding, name: 'lm_head.weight' }]);
  assert.deepEqual(notesOf(same), []);
  const bytes = Uint8Array.from(embedding.bytes, (byte, i) => (i === embedding.bytes.length - 3 ? byte ^ 1 : byte));
  const other = copyCase(tied, folder(t, {}), [...tensors, { ...embedding, name: 'lm_head.weight', bytes }]);
  const expected =
    /tie_word_embeddings is true, but lm_head\.weight and model\.embed_tokens\.weight of the file differ/;
  assert.match(notesOf(other).join('\n'), expected);
  assert.match(inspectModel(other).notes.join('\n'), expected);
  assert.equal(architecture(openCheckpoint(other)).outputs?.output, 'lm_head.weight');
});

test('an untied model without a head, and a classifier by another name, are refused', (t) => {
  const headless = copyCase(tied, folder(t, {}), rawTensors(tied), { tie_word_embeddings: false });
  assert.throws(() => inspectModel(headless), /tie_word_embeddings is false, and the file has no lm_head\.weight/);
  const tokens = { architectures: ['LlamaForTokenClassification'] };
  const copy = copyCase(classifier, folder(t, {}), rawTensors(classifier), tokens);
  assert.throws(() => inspectModel(copy), /architectures names LlamaForTokenClassification: a token classifier/);
  const causal = { architectures: ['LlamaForCausalLM'], tie_word_embeddings: false };
  assert.throws(
    () => inspectModel(copyCase(classifier, folder(t, {}), rawTensors(classifier), causal)),
    /score\.weight/,
  );
});

test('two rotary settings, keys of nobody and a folder of sentence-transformers are named', (t) => {
  const changes = {
    rope_scaling: { rope_type: 'linear', factor: 2 },
    rope_parameters: { rope_type: 'default' },
    my_key: 1,
  };
  const target = copyCase(tied, folder(t, { 'modules.json': '[]' }), rawTensors(tied), changes);
  const notes = notesOf(target);
  assert.equal(notes.length, 3);
  assert.match(notes[0], /rope_scaling is taken/);
  assert.match(notes[1], /my_key: 1 is no key of model_type "llama"/);
  assert.match(notes[2], /modules\.json stands beside the model: it was trained for embeddings/);
});

test('weights of layers that no layer of config.json has are named, stored constants are not', (t) => {
  const tensors = rawTensors(tied);
  const norm = tensors.find(({ name }) => name === 'model.layers.0.input_layernorm.weight')!;
  const named = (changed: ReturnType<typeof rawTensors>, config = {}): string =>
    notesOf(copyCase(tied, folder(t, {}), changed, config)).join('\n');
  assert.match(
    named([...tensors, { ...norm, name: 'model.layers.0.self_attn.q_norm.weight' }]),
    /^model\.layers\.0\.self_attn\.q_norm\.weight lies in the files and is not read, as in transformers: .* make sure/,
  );
  assert.match(
    named([...tensors, { ...norm, name: 'lm_head.bias' }]),
    /^lm_head\.bias lies in the files and is not read/,
  );
  // Nine tensors of the third layer; the head is the embedding.
  assert.match(named(tensors, { num_hidden_layers: 2 }), /^model\.layers\.2\..* and 5 more lie in the files/);
  for (const name of ['model.layers.0.self_attn.rotary_emb.inv_freq', 'model.vision.layers.0.q.weight'])
    assert.equal(named([...tensors, { ...norm, name }]), '', name);
});

/** With an adapter of the first layer's q_proj that names its base. */
function withTinyAdapter(t: TestContext, base: string): { model: string; adapter: string } {
  const at = folder(t, {});
  const [model, adapter] = [path.join(at, 'Tiny-0.1B-GGUF'), path.join(at, 'adapter')];
  fs.mkdirSync(model);
  writeTinyLlama(model, {});
  writeTinyAdapter(adapter);
  const file = path.join(adapter, 'adapter_config.json');
  const config = JSON.parse(fs.readFileSync(file, 'utf8')) as object;
  fs.writeFileSync(file, JSON.stringify({ ...config, base_model_name_or_path: base.replace('HERE', model) }));
  return { model, adapter };
}

test('an adapter that was made for another model is told by the names', (t) => {
  const told = (base: string): string => {
    const { model, adapter } = withTinyAdapter(t, base);
    return inspectModel(model, '.', { adapter }).notes.join('\n');
  };
  // How weights are stored is no part of a name.
  for (const base of ['HERE', 'org/tiny-0.1B', 'tiny_0.1b.Q4_K_M', 'unsloth/Tiny-0.1B-bnb-4bit', ''])
    assert.equal(told(base), '', base);
  for (const base of ['org/Tiny-0.1B-Instruct', 'org/tiny-0.2b', '/home/someone/model'])
    assert.match(
      told(base),
      new RegExp(`^the adapter was made for ${base}, by its adapter_config\\.json, and is applied`),
    );
});

test('a whole model with an adapter in its folder: which weights are meant has to be said', (t) => {
  const { model, adapter } = withTinyAdapter(t, 'HERE');
  fs.cpSync(adapter, model, { recursive: true });
  assert.throws(
    () => inspectModel(model),
    /holds a whole model and a PEFT adapter .* transformers loads the adapter's/,
  );
  assert.throws(() => inspectModel(model, '.', { adapter }), /give the folder as model\.adapter too/);
  assert.deepEqual(inspectModel(model, '.', { adapter: model }).notes, []);
});

function experiment(t: TestContext, rows: object[], task: object, target = classifier): string {
  const data = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const at = folder(t, { 'd.jsonl': data });
  const tasks = [
    { task: 't', training_split: 'train[:2]', validation_split: 'train[2:]', doc_to_text: 'text', ...task },
  ];
  const file = path.join(at, 'e.layerif.yaml');
  fs.writeFileSync(
    file,
    JSON.stringify({ version: 1, model: { path: target }, datasets: { d: { path: 'd.jsonl' } }, tasks }),
  );
  return file;
}

const texts = ['w3 w4 w5', 'w6 w7', 'w8 w9 w10 w11'];
const labelled = (labels: unknown[]) => labels.map((label, i) => ({ text: texts[i], label }));

test('classes of a classifier: index, name, choices in the order of the file or of the model', async (t) => {
  const classes = async (labels: unknown[], task: object) => {
    const prepared = await prepare(experiment(t, labelled(labels), task));
    prepared.checkpoint.close();
    const [{ train, validation }] = prepared.tasks;
    assert.deepEqual([...train[0].tokens], [3, 4, 5], 'the text alone');
    return [...train, ...validation].map(({ classIndex }) => classIndex);
  };
  const choice = { output_type: 'multiple_choice', doc_to_target: 'label' };
  assert.deepEqual(await classes([2, 0, 1], { doc_to_target: 'label' }), [2, 0, 1]);
  assert.deepEqual(await classes(['positive', 'Negative', 'neutral'], { doc_to_target: 'label' }), [2, 0, 1]);
  // The model's classes are negative, neutral, positive.
  const names = ['positive', 'neutral', 'negative'];
  assert.deepEqual(await classes([0, 2, 1], { ...choice, doc_to_choice: names }), [2, 0, 1]);
  assert.deepEqual(await classes(['positive', 'negative', 'neutral'], { ...choice, doc_to_choice: names }), [2, 0, 1]);
  // Names of one's own go by their index.
  assert.deepEqual(await classes([2, 0, 1], { ...choice, doc_to_choice: ['bad', 'so so', 'good'] }), [2, 0, 1]);
});

test('classes that the model does not have are told with row and names', async (t) => {
  const problems = async (labels: unknown[], task: object) => {
    const { problems: found } = await checkExperiment(experiment(t, labelled(labels), task));
    return found.map(({ message }) => message).join('\n');
  };
  const whole = { doc_to_target: 'label' };
  assert.match(
    await problems([0, 3, 1], whole),
    /class of row 1 is 3; .* has 3 classes, 0 to 2 \(negative, neutral, positive\)/,
  );
  assert.match(await problems([0, 'sad', 1], whole), /class of row 1 is "sad"/);
  const two = { output_type: 'multiple_choice', doc_to_target: 'label', doc_to_choice: ['bad', 'good'] };
  assert.match(await problems([0, 1, 1], two), /doc_to_choice lists 2; list the names of all classes/);
});

test('work that needs next tokens refuses a classifier', () => {
  const checkpoint = openCheckpoint(classifier);
  const model = architecture(checkpoint);
  assert.throws(
    () => requireLanguageModel(model, checkpoint, 'evaluation'),
    /is a sequence classifier with 3 classes; evaluation needs a causal language model/,
  );
});
