/**
 * Inspecting a model through the server: graphs with and without a pattern, checkpoints, what is wrong as an answer.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { InspectParams } from '../../protocol/lsp.ts';
import { requests } from '../../protocol/requests.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';

const graphs = path.resolve(import.meta.dirname, '../reference/onnx_graphs');
const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-inspect-')));
let client: Client;
before(async () => {
  client = await Client.start(root, { env: { XDG_CACHE_HOME: path.join(root, 'cache') } });
});
after(async () => {
  await client.stop();
  fs.rmSync(root, { recursive: true });
});

const inspect = (file: string, params: Omit<InspectParams, 'path'> = {}) =>
  client.ask(requests.inspectModel, { path: path.resolve(graphs, file), ...params });

test('a classifier of texts: layers by their names, modules with shapes, counts that add up', async () => {
  const { model, error } = await inspect('bert-torchscript.onnx');
  assert.equal(error, null);
  assert.deepEqual(model!.layerNames, ['bert.encoder.layer.0', 'bert.encoder.layer.1']);
  assert.equal(model!.kinds.length, 1);
  const { layers, modules } = model!.kinds[0];
  assert.deepEqual(layers, [0, 1]);
  assert.deepEqual(
    modules.map(({ name }) => name),
    [
      'attention.self.query',
      'attention.self.key',
      'attention.self.value',
      'attention.output.dense',
      'intermediate.dense',
      'output.dense',
    ],
  );
  for (const { shape, parameters } of modules) assert.equal(parameters, shape[0] * shape[1]);
  assert.equal(model!.scoredParameters, 2 * modules.reduce((sum, { parameters }) => sum + parameters, 0));
  assert.ok(model!.unscored.some(({ name }) => name.includes('embeddings.word_embeddings')));
  assert.ok(!model!.unscored.some(({ name }) => name === 'bert.encoder.layer.0.output.dense.weight'));
  const { task, logits, outputs, classes, tokens, arrays } = model!.graph!;
  assert.deepEqual(
    { task, logits, outputs, classes, tokens, arrays },
    { task: 'classification', logits: 'logits', outputs: ['logits'], classes: 3, tokens: true, arrays: [] },
  );
});

test('a causal model says so; a vision model names its input', async () => {
  const gpt2 = (await inspect('gpt2-dynamo.onnx')).model!.graph!;
  assert.deepEqual([gpt2.task, gpt2.classes, gpt2.tokens], ['causal', 61, true]);
  const vit = (await inspect('vit-dynamo.onnx')).model!.graph!;
  assert.deepEqual(
    [vit.task, vit.tokens, vit.arrays[0].name, vit.arrays[0].shape.slice(1)],
    ['classification', false, 'pixel_values', [3, 8, 8]],
  );
  assert.equal(vit.normalisation, null);
});

test('the pattern decides what a layer is; one that matches nothing is an answer that quotes it', async () => {
  const found = await inspect('resnet-torchscript.onnx');
  assert.equal(found.model!.layerNames.length, 3);
  const stages = await inspect('resnet-torchscript.onnx', { layersPattern: ' encoder.stages.{} ' });
  assert.deepEqual(stages.model!.layerNames, ['resnet.encoder.stages.0', 'resnet.encoder.stages.1']);
  assert.match(stages.model!.graph!.how, /encoder\.stages\.\{\}/);
  assert.equal(stages.model!.scoredParameters, found.model!.scoredParameters);
  const { model, error } = await inspect('resnet-torchscript.onnx', { layersPattern: 'encoder.block.{}' });
  assert.deepEqual([model, error!.code], [null, 'badModel']);
  assert.match(error!.message, /"encoder\.block\.\{\}" matches none of the \d+ matrices and kernels/);
  assert.equal((await inspect('resnet-torchscript.onnx', { layersPattern: '  ' })).model!.layerNames.length, 3);
});

test('an output that is not there, a file that is not there, no path', async () => {
  assert.match((await inspect('vit-dynamo.onnx', { output: 'scores' })).error!.message, /no output "scores".*logits/);
  const gone = await inspect('gone.onnx');
  assert.deepEqual([gone.model, gone.error!.code], [null, 'badModel']);
  assert.match(gone.error!.message, /gone\.onnx: there is no such file or folder/);
  const nothing = await client.ask(requests.inspectModel, {} as InspectParams);
  assert.equal(nothing.error!.code, 'badRequest');
});

test('the normalisation that lies beside a graph comes along; a broken file is as none', async () => {
  const file = path.join(root, 'vit.onnx');
  fs.copyFileSync(path.join(graphs, 'vit-dynamo.onnx'), file);
  const config = path.join(root, 'preprocessor_config.json');
  fs.writeFileSync(config, JSON.stringify({ image_mean: [0.1, 0.2, 0.3], image_std: [0.5, 0.5, 0.25] }));
  assert.deepEqual((await inspect(file)).model!.graph!.normalisation, { mean: [0.1, 0.2, 0.3], std: [0.5, 0.5, 0.25] });
  for (const broken of ['{', 'null', '{"image_mean": [0.1], "image_std": [0.5, 0.5]}']) {
    fs.writeFileSync(config, broken);
    assert.equal((await inspect(file)).model!.graph!.normalisation, null, broken);
  }
});

test('a checkpoint folder with the layers of its family, without a graph', async () => {
  writeTinyWorkspace(root);
  const folder = fs
    .readdirSync(root, { recursive: true, encoding: 'utf8' })
    .find((name) => path.basename(name) === 'config.json')!;
  const { model, error } = await inspect(path.join(root, path.dirname(folder)));
  assert.equal(error, null);
  assert.deepEqual([model!.graph, model!.family, model!.layerNames[0]], [null, 'llama', 'model.layers.0']);
  assert.ok(model!.coverage > 0 && model!.coverage <= 1);
});

test('describing data: columns and splits, or what is wrong with the file', async () => {
  const file = path.join(root, 'rows.csv');
  fs.writeFileSync(file, 'text,split\na b,train\nc,train\nd,test\ne,test\n');
  const { data, error } = await client.ask(requests.describeData, { path: file });
  assert.equal(error, null);
  assert.deepEqual(data, {
    columns: [{ name: 'text', first: 'a b', length: 1.5, labels: null, sortedFrom: null }],
    splits: { train: 2, test: 2 },
    splitColumn: 'split',
  });
  const gone = await client.ask(requests.describeData, { path: path.join(root, 'gone.csv') });
  assert.equal(gone.data, null);
  assert.match(gone.error!.message, /gone\.csv/);
});
