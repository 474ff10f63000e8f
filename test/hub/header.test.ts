/** Headers of models on the hub, by range requests against a server on the loopback address. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { LayerifError } from '../../protocol/errors.ts';
import { openSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { modelHeader } from '../../server/src/run/inputs/modelHeader.ts';
import { fetchModel } from '../../server/src/run/inputs/hubInputs.ts';
import { safetensorsBytes } from '../checkpoints/files.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { fakeHub } from './fakeHub.ts';

/** Weights of 3 MB behind the header of a tiny Llama: far more than what is asked for first. */
const PADDING = 3_000_000;

function tinyModel(t: TestContext): { files: Record<string, Buffer>; tensors: number } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-hub-header-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  writeTinyLlama(folder, { layers: 2 });
  const read = (name: string) => fs.readFileSync(path.join(folder, name));
  const { tensors, dataStart } = openSafetensors(path.join(folder, 'model.safetensors'));
  const bytes = read('model.safetensors');
  const header = JSON.parse(bytes.subarray(8, dataStart).toString()) as object;
  const end = bytes.length - dataStart;
  const weights = safetensorsBytes(
    { ...header, extra: { dtype: 'U8', shape: [PADDING], data_offsets: [end, end + PADDING] } },
    Buffer.concat([bytes.subarray(dataStart), Buffer.alloc(PADDING)]),
  );
  return {
    files: {
      'config.json': read('config.json'),
      'tokenizer.json': read('tokenizer.json'),
      'model.safetensors': weights,
    },
    tensors: tensors.length + 1,
  };
}

async function complaint(target: string): Promise<string> {
  try {
    await modelHeader(target);
  } catch (error) {
    if (!(error instanceof LayerifError)) throw error;
    assert.ok(!error.message.includes('\n'));
    return error.message;
  }
  throw new Error('nothing was refused');
}

test('a header is one range of its file, whatever the weights take, and nothing is downloaded', async (t) => {
  const { files, tensors } = tinyModel(t);
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const ranges = () => hub.seen.filter(({ url }) => url.startsWith('/cdn/')).map(({ range }) => range);
  const header = await modelHeader('org/tiny');
  assert.deepEqual(
    [header.name, header.layers.length, header.tensors, header.files],
    ['org/tiny', 2, tensors, [{ name: 'model.safetensors', bytes: files['model.safetensors'].length }]],
  );
  assert.deepEqual(ranges(), [`bytes=0-${(1 << 18) - 1}`]);
  assert.deepEqual(fs.readdirSync(hub.cache), []);
  // From the cache, once it is there, with a revision too.
  await fetchModel({ path: 'org/tiny' }, os.tmpdir());
  const before = hub.seen.length;
  assert.equal((await modelHeader('org/tiny')).tensors, tensors);
  assert.equal((await modelHeader(`org/tiny@${hub.commitOf('org/tiny')}`)).tensors, tensors);
  assert.equal(hub.seen.length, before);
  process.env.HF_HUB_OFFLINE = '1';
  assert.equal((await modelHeader('org/tiny')).tensors, tensors);
  assert.match(await complaint('org/other'), /HF_HUB_OFFLINE forbids to download it/);
});

test('a header that is longer than the first request goes on where it ended; shards are put together', async (t) => {
  const { files } = tinyModel(t);
  const entry = (i: number) => ({ dtype: 'U8', shape: [1], data_offsets: [i, i + 1] });
  const shard = (layer: number, count: number) =>
    safetensorsBytes(
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`model.layers.${layer}.w${i}.weight`, entry(i)])),
      Buffer.alloc(count),
    );
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const map = { weight_map: { a: names[0], b: names[1] } };
  const hub = await fakeHub(t, {
    'org/shards': {
      files: {
        'config.json': files['config.json'],
        'model.safetensors.index.json': JSON.stringify(map),
        [names[0]]: shard(0, 10_000),
        [names[1]]: shard(1, 2),
      },
    },
  });
  const header = await modelHeader('org/shards');
  assert.deepEqual(
    header.layers.map(({ name, tensors }) => [name, tensors]),
    [
      ['model.layers.0', 10_000],
      ['model.layers.1', 2],
    ],
  );
  assert.deepEqual(header.notes, ['The first 1000 of 10000 rows of modules are shown.']);
  const ranges = hub.seen.filter(({ url }) => url.endsWith(names[0]) && url.startsWith('/cdn/'));
  assert.deepEqual(
    ranges.map(({ range }) => range!.split('-')[0]),
    ['bytes=0', `bytes=${1 << 18}`],
  );
});

test('one file of a repository; what cannot be shown is said in one line', async (t) => {
  const { files } = tinyModel(t);
  const gguf = fs.readFileSync(path.resolve(import.meta.dirname, '../reference/gguf/llama.gguf'));
  const graph = fs.readFileSync(path.resolve(import.meta.dirname, '../reference/onnx_graphs/bert-torchscript.onnx'));
  const hub = await fakeHub(t, {
    'org/ggufs': { files: { 'a-Q4_0.gguf': gguf, 'b.gguf': gguf, 'onnx/model.onnx': graph, 'README.md': '# a' } },
    'org/tiny': { files },
  });
  assert.match(
    await complaint('org/ggufs'),
    /has 2 GGUF files; .*; to see the header of one of its files, write org\/ggufs\/FILE$/,
  );
  assert.equal((await modelHeader('org/ggufs/b.gguf')).format, 'gguf');
  assert.equal((await modelHeader('org/ggufs/onnx/model.onnx')).layers.length, 2);
  assert.match(await complaint('org/ggufs/c.gguf'), /model org\/ggufs has no file c\.gguf/);
  assert.match(await complaint('org/ggufs/README.md'), /README\.md has no header that is known/);
  assert.match(await complaint('org/nothing'), /model org\/nothing is neither a path/);
  assert.match(await complaint('nonsense'), /^nonsense is neither an absolute path nor a model of the hub/);
  hub.wholeAnswers();
  assert.match(await complaint('org/tiny'), /answered as a whole where 262144 bytes .* knows no range requests/);
});
