import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hubCacheFolder } from '../../server/src/hub/environment.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { writeSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { folder } from '../data/files.ts';
import { complaint } from './files.ts';

const config = { model_type: 'llama', hidden_size: 4 };
const f32 = (name: string, ...values: number[]) => ({
  name,
  dtype: 'F32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
});

/** A folder with a configuration, weights `a` and `b` and a tokenizer. */
function model(root: string, { shards = false } = {}): string {
  writeFileSync(join(root, 'config.json'), JSON.stringify(config));
  writeFileSync(join(root, 'tokenizer.json'), '{"version":"1.0"}');
  if (!shards) writeSafetensors(join(root, 'model.safetensors'), [f32('a', 1, 2), f32('b', 3)]);
  else {
    writeSafetensors(join(root, 'model-00002-of-00002.safetensors'), [f32('b', 3)]);
    writeSafetensors(join(root, 'model-00001-of-00002.safetensors'), [f32('a', 1, 2)]);
    index(root, { b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' });
  }
  return root;
}

function index(root: string, weight_map: unknown): void {
  writeFileSync(join(root, 'model.safetensors.index.json'), JSON.stringify({ metadata: {}, weight_map }));
}

const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

test('one file and shards alike: configuration, tensors, tokenizer, hash over the hashes of the files in name order', async (t) => {
  process.env.XDG_CACHE_HOME = folder(t, {});
  for (const shards of [false, true]) {
    const root = model(folder(t, {}), { shards });
    const checkpoint = openCheckpoint(root);
    const names = shards
      ? ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
      : ['model.safetensors'];
    assert.deepEqual(
      checkpoint.files,
      names.map((name) => realpathSync(join(root, name))),
    );
    assert.deepEqual([checkpoint.format, checkpoint.path, checkpoint.config], ['safetensors', root, config]);
    assert.deepEqual([[...checkpoint.read('a')], [...checkpoint.read('b')]], [[1, 2], [3]]);
    assert.deepEqual(checkpoint.tokenizer(), { tokenizerJson: { version: '1.0' }, tokenizerConfig: {} });
    assert.equal(
      await checkpoint.sha256(),
      digest(names.map((name) => digest(readFileSync(join(root, name)))).join('')),
    );
  }
});

test('weights of many types come out as float32', () => {
  const reference = join(import.meta.dirname, '../reference/llama/float16');
  const checkpoint = openCheckpoint(reference);
  const types = new Set([...checkpoint.tensors.values()].map((info) => info.dtype));
  assert.ok(types.has('F16'), [...types].join());
  for (const [name, { shape }] of checkpoint.tensors)
    assert.equal(
      checkpoint.read(name).length,
      shape.reduce((product, n) => product * n, 1),
    );
});

test('in the hub cache, links lead to the files; a hub id is found offline by branch and by commit', (t) => {
  const cache = folder(t, {});
  const repository = join(cache, 'models--org--tiny');
  const commit = 'a'.repeat(40);
  const snapshot = join(repository, 'snapshots', commit);
  for (const path of ['blobs', 'refs', `snapshots/${commit}`]) mkdirSync(join(repository, path), { recursive: true });
  model(snapshot);
  renameSync(join(snapshot, 'model.safetensors'), join(repository, 'blobs', 'f00d'));
  symlinkSync('../../blobs/f00d', join(snapshot, 'model.safetensors'));
  writeFileSync(join(repository, 'refs', 'main'), commit);
  process.env.HF_HUB_CACHE = cache;
  t.after(() => delete process.env.HF_HUB_CACHE);

  for (const options of [{}, { revision: 'main' }, { revision: commit }]) {
    const checkpoint = openCheckpoint('org/tiny', options);
    assert.equal(checkpoint.name, 'tiny');
    assert.equal(checkpoint.path, snapshot);
    assert.deepEqual(checkpoint.files, [realpathSync(join(repository, 'blobs', 'f00d'))]);
    assert.deepEqual([...checkpoint.read('b')], [3]);
  }
  const said = (id: string, revision?: string) => complaint(() => openCheckpoint(id, { revision }), cache);
  assert.match(
    said('org/small'),
    /^model org\/small is neither a path nor in the Hugging Face cache <root>; layerif score downloads it, as "hf download org\/small" does$/,
  );
  assert.match(
    said('org/tiny', 'v2'),
    /is in the Hugging Face cache <root>, but not its revision v2; layerif score downloads it, as "hf download org\/tiny --revision v2" does$/,
  );
  for (const revision of ['..', '../refs', '../../other', '.', ''])
    assert.match(said('org/tiny', revision), /but not its revision/, revision);
  writeFileSync(join(repository, 'refs', 'evil'), '../../..');
  assert.match(said('org/tiny', 'evil'), /but not its revision evil/);
});

test('the cache folder by the variables of huggingface_hub', () => {
  const at = (environment: Record<string, string>) => hubCacheFolder(environment);
  assert.equal(at({ HF_HUB_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.equal(at({ HUGGINGFACE_HUB_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.equal(at({ HF_HOME: '/b', XDG_CACHE_HOME: '/c' }), join('/b', 'hub'));
  assert.equal(at({ XDG_CACHE_HOME: '/c' }), join('/c', 'huggingface', 'hub'));
  assert.match(at({}), /[\\/]\.cache[\\/]huggingface[\\/]hub$/);
  assert.equal(at({ HF_HOME: '~/x' }), join(process.env.HOME ?? '', 'x', 'hub'));
});

/** What is wrong -> how a right folder is spoilt and what is said. */
const refused: Record<string, [(root: string) => void, RegExp]> = {
  'no config.json': [
    (root) => renameSync(join(root, 'config.json'), join(root, 'x')),
    /^this folder has no config\.json; give one with the model's config\.json/,
  ],
  'a folder of GGUF files': [
    (root) => {
      renameSync(join(root, 'config.json'), join(root, 'm.Q4_0.gguf'));
    },
    /^<root> has no config\.json but m\.Q4_0\.gguf; give the path of one of these files/,
  ],
  'config.json that is not JSON': [
    (root) => writeFileSync(join(root, 'config.json'), '{"model_type": "llama",}'),
    /^config\.json cannot be read: .*JSON/,
  ],
  'config.json that is a list': [
    (root) => writeFileSync(join(root, 'config.json'), '[]'),
    /^config\.json is not a JSON object/,
  ],
  'config.json without an architecture': [
    (root) => writeFileSync(join(root, 'config.json'), '{}'),
    /^config\.json names no architecture \(model_type is missing\)/,
  ],
  'config.json with a number for it': [
    (root) => writeFileSync(join(root, 'config.json'), '{"model_type":3}'),
    /\(model_type is 3\)/,
  ],
  'no weights': [
    (root) => renameSync(join(root, 'model.safetensors'), join(root, 'x')),
    /^<root> has neither model\.safetensors nor model\.safetensors\.index\.json; download the weights/,
  ],
  'pickled weights only': [
    (root) => renameSync(join(root, 'model.safetensors'), join(root, 'pytorch_model.bin')),
    / but pytorch_model\.bin: pickled weights can hold code and are not read; save the model as safetensors/,
  ],
  'weights of another name': [
    (root) => renameSync(join(root, 'model.safetensors'), join(root, 'adapter.safetensors')),
    / but adapter\.safetensors; weights must have one of the two names/,
  ],
};

for (const [what, [spoil, message]] of Object.entries(refused)) {
  test(`refused: ${what}`, (t) => {
    const root = model(folder(t, {}));
    spoil(root);
    assert.match(
      complaint(() => openCheckpoint(root), root),
      message,
    );
  });
}

/** What is wrong with shards. */
const refusedShards: Record<string, [(root: string) => void, RegExp]> = {
  'an index without a map': [(root) => index(root, undefined), /^model\.safetensors\.index\.json has no weight_map/],
  'shards that are not there': [
    (root) => index(root, { a: 'model-00001-of-00002.safetensors', b: 'gone-1.safetensors', c: 'gone-2.safetensors' }),
    /names 3 shards, of which the folder lacks gone-1\.safetensors, gone-2\.safetensors; download them again/,
  ],
  'a shard outside the folder': [
    (root) => index(root, { a: '../../etc/passwd' }),
    /the folder lacks \.\.\/\.\.\/etc\/passwd/,
  ],
  'a shard that is the folder above': [
    (root) => index(root, { a: '..' }),
    / cannot be read: it is a folder, a file is needed; /,
  ],
  'a tensor that no shard has': [
    (root) =>
      index(root, {
        a: 'model-00001-of-00002.safetensors',
        b: 'model-00002-of-00002.safetensors',
        lost: 'model-00002-of-00002.safetensors',
      }),
    /^<root>: the index promises 1 tensors that no shard has, the first is lost/,
  ],
  'a tensor in two shards': [
    (root) => writeSafetensors(join(root, 'model-00002-of-00002.safetensors'), [f32('a', 0), f32('b', 3)]),
    /^tensor a stands in model-00001-of-00002\.safetensors and in model-00002-of-00002\.safetensors/,
  ],
};

for (const [what, [spoil, message]] of Object.entries(refusedShards)) {
  test(`refused: ${what}`, (t) => {
    const root = realpathSync(model(folder(t, {}), { shards: true }));
    spoil(root);
    assert.match(
      complaint(() => openCheckpoint(root), root),
      message,
    );
  });
}

test('a tensor that is not there comes with its nearest names; a missing tokenizer with what to do', (t) => {
  const root = model(folder(t, {}));
  const names = [
    'model.norm.weight',
    'model.layers.0.mlp.up_proj.weight',
    'model.layers.1.mlp.up_proj.weight',
    'lm_head.weight',
  ];
  writeSafetensors(
    join(root, 'model.safetensors'),
    names.map((name) => f32(name, 1)),
  );
  renameSync(join(root, 'tokenizer.json'), join(root, 'x'));
  const checkpoint = openCheckpoint(root);
  assert.match(
    complaint(() => checkpoint.read('model.layers.2.mlp.up_proj.weight'), root),
    /^<root> has no tensor model\.layers\.2\.mlp\.up_proj\.weight; nearest of its 4 tensors: model\.layers\.[01]\.mlp\.up_proj\.weight, model\.layers\.[01]\.mlp\.up_proj\.weight, /,
  );
  assert.match(
    complaint(() => checkpoint.tokenizer(), root),
    /^<root> has no tokenizer\.json; copy the one of the model beside config\.json/,
  );
  writeFileSync(join(root, 'tokenizer.json'), 'x');
  assert.match(
    complaint(() => checkpoint.tokenizer(), root),
    /^tokenizer\.json cannot be read: /,
  );
});
