/** Headers of model files through the server: layers, modules, types, sizes; damage and hostility. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { ModelHeader } from '../../protocol/modelHeader.ts';
import { requests } from '../../protocol/requests.ts';
import { openSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { bytesOf, counting, file, ggufBytes, llamaMetadata, safetensorsBytes } from '../checkpoints/files.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { Client } from './client.ts';

const reference = path.resolve(import.meta.dirname, '../reference');
const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-headers-')));
let client: Client;
before(async () => {
  client = await Client.start(root, { env: { XDG_CACHE_HOME: path.join(root, 'cache') } });
});
after(async () => {
  await client.stop();
  fs.rmSync(root, { recursive: true });
});

const ask = (target: string) => client.ask(requests.modelHeader, { path: target });

async function headerOf(target: string): Promise<ModelHeader> {
  const { header, error } = await ask(target);
  assert.equal(error, null);
  return header!;
}

async function refusal(target: string): Promise<string> {
  const { header, error } = await ask(target);
  assert.deepEqual([header, error?.code], [null, 'badModel']);
  assert.ok(!error!.message.includes('\n'));
  return error!.message.replaceAll(root, '<root>');
}

test('safetensors: layers, one row for the same tensor of every layer, sizes as bytes; metadata', async () => {
  const folder = path.join(root, 'llama');
  fs.mkdirSync(folder);
  writeTinyLlama(folder, { layers: 3 });
  const target = path.join(folder, 'model.safetensors');
  const { tensors } = openSafetensors(target);
  const header = await headerOf(target);
  assert.deepEqual(
    header.layers.map(({ name }) => name),
    ['model.layers.0', 'model.layers.1', 'model.layers.2'],
  );
  const own = tensors.filter(({ name }) => name.startsWith('model.layers.1.'));
  assert.deepEqual(header.layers[1], {
    name: 'model.layers.1',
    tensors: own.length,
    parameters: own.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    bytes: own.reduce((sum, { byteLength }) => sum + byteLength, 0),
    types: ['F32'],
  });
  const q = tensors.find(({ name }) => name === 'model.layers.0.self_attn.q_proj.weight')!;
  assert.deepEqual(
    header.modules.find(({ name }) => name === 'self_attn.q_proj.weight'),
    {
      name: 'self_attn.q_proj.weight',
      stored: null,
      type: 'F32',
      shape: [...q.shape],
      count: 3,
      layers: [0, 1, 2],
      parameters: (3 * q.byteLength) / 4,
      bytes: 3 * q.byteLength,
    },
  );
  assert.ok(header.others.some(({ name }) => name === 'model.embed_tokens.weight'));
  assert.equal(header.files[0].bytes, fs.statSync(target).size);
  assert.equal(header.tensors, tensors.length);
});

test('GGUF: names of Hugging Face beside those of the file, quantised types, lists of the vocabulary cut', async () => {
  const header = await headerOf(path.join(reference, 'gguf/llama.gguf'));
  const expected = openSafetensors(path.join(reference, 'gguf/llama.safetensors')).tensors;
  const q = header.modules.find(({ stored }) => stored?.startsWith('blk.*.attn_q.'))!;
  assert.equal(q.name, 'self_attn.q_proj.weight');
  assert.equal(
    header.parameters,
    expected.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
  );
  assert.match(header.version, /^GGUF version [23]$/);
  const value = (key: string) => header.metadata.find((entry) => entry.key === key)?.value;
  assert.equal(value('general.architecture'), 'llama');
  assert.equal(value('llama.attention.layer_norm_rms_epsilon'), '0.00001'); // stored as float32
  assert.match(value('tokenizer.ggml.tokens')!, /^\d+ values: ".*\u2026$/);
});

test('GGUF with a type and an architecture that cannot be scored: shown, with what is not known', async () => {
  const target = file(
    root,
    'other.gguf',
    ggufBytes({
      metadata: { 'general.architecture': 'mamba', list: { texts: Array.from({ length: 20 }, (_, i) => `t${i}`) } },
      tensors: [counting('blk.0.ssm_in.weight', 2, 4), { ...counting('blk.1.ssm_in.weight', 2, 4), type: 250 }],
    }),
  );
  const header = await headerOf(target);
  assert.deepEqual(
    header.layers.map(({ name, bytes, types }) => [name, bytes, types]),
    [
      ['blk.0', 32, ['F32']],
      ['blk.1', null, ['number 250']],
    ],
  );
  assert.equal(header.metadata[1].value, '20 values: "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", \u2026');
});

test('ONNX: modules by the nodes that read a constant whose name an exporter made up', async () => {
  const header = await headerOf(path.join(reference, 'onnx_graphs/bert-torchscript.onnx'));
  assert.deepEqual(
    header.layers.map(({ name }) => name),
    ['bert.encoder.layer.0', 'bert.encoder.layer.1'],
  );
  const query = header.modules.find(({ name }) => name === 'attention.self.query')!;
  assert.deepEqual([query.stored, query.shape, query.count, query.bytes], ['onnx::MatMul_*', [16, 16], 2, 2048]);
  assert.match(header.version, /^ONNX, IR version 8, ai\.onnx 17$/);
});

test('nothing of the weights is read: a header whose weights were never written', async () => {
  const shape = [1 << 20, 1 << 14];
  const bytes = 2 * shape[0] * shape[1];
  const header = safetensorsBytes({
    'model.layers.0.mlp.up_proj.weight': { dtype: 'BF16', shape, data_offsets: [0, bytes] },
  });
  const target = file(root, 'sparse.safetensors', header);
  fs.truncateSync(target, header.length + bytes);
  const { layers } = await headerOf(target);
  assert.deepEqual([layers[0].name, layers[0].bytes], ['model.layers.0', bytes]);
});

test('several stacks of layers, experts on one row, a model without layers', async () => {
  const names = [
    ...[0, 1].map((i) => `vision_tower.encoder.layers.${i}.fc.weight`),
    ...[0, 1].flatMap((i) => Array.from({ length: 9 }, (_, e) => `model.layers.${i}.mlp.experts.${e}.up_proj.weight`)),
    'lm_head.weight',
  ];
  const entry = (i: number) => ({ dtype: 'F32', shape: [2, 2], data_offsets: [16 * i, 16 * i + 16] });
  const write = (name: string, list: string[]) =>
    file(
      root,
      name,
      safetensorsBytes(Object.fromEntries(list.map((one, i) => [one, entry(i)])), new Uint8Array(16 * list.length)),
    );
  const { layers, modules, others } = await headerOf(write('two.safetensors', names));
  assert.deepEqual(
    layers.map(({ name }) => name),
    ['model.layers.0', 'model.layers.1', 'vision_tower.encoder.layers.0', 'vision_tower.encoder.layers.1'],
  );
  assert.deepEqual(
    modules.map(({ name, count, layers: at }) => [name, count, at]),
    [
      ['model.layers.*.mlp.experts.*.up_proj.weight', 18, [0, 1]],
      ['vision_tower.encoder.layers.*.fc.weight', 2, [2, 3]],
    ],
  );
  assert.deepEqual(
    others.map(({ name }) => name),
    ['lm_head.weight'],
  );
  const flat = await headerOf(write('flat.safetensors', ['a.weight', 'b.weight']));
  assert.deepEqual([flat.layers, flat.modules.length, flat.others.length], [[], 0, 2]);
});

test('names and texts of markup and of thousands of characters are data', async () => {
  const name = '<img src=x onerror=alert(1)>.layers.0.weight';
  const target = file(
    root,
    'hostile.safetensors',
    safetensorsBytes(
      {
        __metadata__: { '<b>key</b>': 'x'.repeat(100_000) },
        [name]: { dtype: 'U8', shape: [1], data_offsets: [0, 1] },
      },
      new Uint8Array(1),
    ),
  );
  const header = await headerOf(target);
  assert.equal([...header.modules, ...header.others][0].count, 1);
  assert.ok(JSON.stringify(header).includes('<img src=x onerror=alert(1)>'));
  assert.deepEqual([header.metadata[0].key, header.metadata[0].value.length], ['<b>key</b>', 401]);
});

test('damaged and foreign files: one line that names the file and what is wrong', async () => {
  const graph = fs.readFileSync(path.join(reference, 'onnx_graphs/bert-torchscript.onnx'));
  assert.match(await refusal(path.join(root, 'gone.gguf')), /^<root>\/gone\.gguf does not exist/);
  assert.match(
    await refusal(root),
    /<root> has no header that is known; open a file that ends in \.gguf, \.safetensors, \.onnx/,
  );
  assert.match(
    await refusal(file(root, 'cut.onnx', graph.subarray(0, 20_000))),
    /cut\.onnx is not a usable ONNX file: .*damaged.*; download or export it again/,
  );
  assert.match(
    await refusal(file(root, 'text.onnx', 'hello, this is no graph')),
    /text\.onnx is not a usable ONNX file/,
  );
  assert.match(await refusal(file(root, 'empty.onnx', '')), /it holds no graph/);
  // A graph of no length: field 7 with 2^62 bytes.
  const endless = Buffer.from([0x3a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
  assert.match(await refusal(file(root, 'endless.onnx', endless)), /ends at byte \d+, the file at 10/);
  const huge = bytesOf(BigUint64Array.of(10n ** 12n));
  assert.match(await refusal(file(root, 'huge.safetensors', huge)), /give a header of 1000000000000 bytes/);
  assert.match(
    await refusal(file(root, 'many.gguf', ggufBytes({ metadata: llamaMetadata(), tensorCount: 1n << 40n }))),
    /the number of tensors at byte 8 is 1099511627776/,
  );
});

test('a file that is a pipe is refused and not waited for', { skip: process.platform === 'win32' }, async () => {
  const { execFileSync } = await import('node:child_process');
  execFileSync('mkfifo', [path.join(root, 'pipe.gguf')]);
  assert.match(
    await refusal(path.join(root, 'pipe.gguf')),
    /pipe\.gguf cannot be read: it is a named pipe, a regular file is needed/,
  );
});
