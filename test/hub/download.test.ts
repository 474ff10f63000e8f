/** Downloads into the shared cache, against a server on the loopback address that speaks the hub's interface. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LayerifError } from '../../protocol/errors.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { fetchModel, missingModel } from '../../server/src/run/inputs/hubInputs.ts';
import type { DownloadEvent } from '../../server/src/run/inputs/hubInputs.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { fakeHub } from './fakeHub.ts';

const here = os.tmpdir();

/** Files of a tiny Llama, and one that nobody needs. */
function tinyFiles(): Record<string, Buffer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-tiny-'));
  writeTinyLlama(folder, { layers: 2 });
  const files = Object.fromEntries(
    fs.readdirSync(folder).map((name) => [name, fs.readFileSync(path.join(folder, name))]),
  );
  fs.rmSync(folder, { recursive: true });
  return {
    ...files,
    'pytorch_model.bin': Buffer.alloc(100),
    'README.md': Buffer.from('# tiny'),
    'onnx/model.onnx': Buffer.alloc(9),
  };
}

const files = tinyFiles();
const weights = files['model.safetensors'];
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function complaint(work: Promise<unknown>): Promise<LayerifError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof LayerifError) {
      assert.ok(!error.message.includes('\n'));
      return error;
    }
    throw error;
  }
  throw new Error('nothing was refused');
}

test('the files of the engine, in the layout that Python tools share; then nothing is asked any more', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const events: DownloadEvent[] = [];
  await fetchModel({ path: 'org/tiny' }, here, { onProgress: (event) => events.push(event) });
  const repository = path.join(hub.cache, 'models--org--tiny');
  const commit = hub.commitOf('org/tiny');
  assert.equal(fs.readFileSync(path.join(repository, 'refs', 'main'), 'utf8'), commit);
  const snapshot = path.join(repository, 'snapshots', commit);
  const wanted = ['config.json', 'model.safetensors', 'tokenizer.json'];
  if (files['tokenizer_config.json']) wanted.push('tokenizer_config.json');
  assert.deepEqual(fs.readdirSync(snapshot).sort(), wanted.sort());
  for (const name of wanted) assert.deepEqual(fs.readFileSync(path.join(snapshot, name)), files[name]);
  assert.equal(fs.readlinkSync(path.join(snapshot, 'model.safetensors')), `../../blobs/${sha256(weights)}`);
  const config = files['config.json'];
  const git = createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex');
  assert.equal(fs.readlinkSync(path.join(snapshot, 'config.json')), `../../blobs/${git}`);
  assert.deepEqual(
    fs.readdirSync(path.join(repository, 'blobs')).filter((name) => name.includes('.')),
    [],
  );

  const total = wanted.reduce((sum, name) => sum + files[name].length, 0);
  assert.deepEqual([events.at(-1)!.done, events.at(-1)!.total], [total, total]);
  assert.match(events.at(-1)!.message, /^downloading org\/tiny: \d+ (kB|MB) of \d+ (kB|MB)$/);
  assert.ok(events.every(({ done }, i) => i === 0 || done >= events[i - 1].done));

  const asked = hub.seen.length;
  await fetchModel({ path: 'org/tiny', revision: commit }, here);
  await fetchModel({ path: 'org/tiny' }, here);
  assert.equal(hub.seen.length, asked);
  const checkpoint = openCheckpoint('org/tiny');
  assert.deepEqual([checkpoint.name, checkpoint.revision, checkpoint.path], ['tiny', commit, snapshot]);
});

test('a connection that is cut twice in the middle of a file: goes on where it was, same bytes', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const first = Math.floor(weights.length / 3);
  hub.cut('model.safetensors', first, 1000);
  await fetchModel({ path: 'org/tiny' }, here);
  const requests = hub.seen.filter(({ url }) => url.startsWith('/cdn/'));
  const starts = requests.map(({ range }) => Number(/\d+/.exec(range ?? '0')![0]));
  // What is on its way when a connection ends may be lost.
  assert.equal(starts.length, 3);
  assert.ok(starts[0] === 0 && starts[1] > 0 && starts[1] <= first, starts.join());
  assert.ok(starts[2] >= starts[1] && starts[2] <= starts[1] + 1000, starts.join());
  assert.deepEqual(
    [...openCheckpoint('org/tiny').files].map((file) => sha256(fs.readFileSync(file))),
    [sha256(weights)],
  );
});

test('a cancelled download keeps what arrived, and the next run continues it', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  hub.slow(5);
  const abort = new AbortController();
  const onProgress = ({ done }: DownloadEvent) => done > weights.length / 4 && abort.abort();
  const error = await complaint(fetchModel({ path: 'org/tiny' }, here, { signal: abort.signal, onProgress }));
  assert.equal(error.code, 'cancelled');
  const blobs = path.join(hub.cache, 'models--org--tiny', 'blobs');
  const part = path.join(blobs, `${sha256(weights)}.layerif.incomplete`);
  const arrived = fs.statSync(part).size;
  assert.ok(arrived > 0 && arrived < weights.length, `${arrived}`);
  assert.deepEqual(
    fs.readdirSync(blobs).filter((name) => name.endsWith('.lock')),
    [],
  );
  hub.slow(0);
  hub.seen.length = 0;
  await fetchModel({ path: 'org/tiny' }, here);
  assert.deepEqual(
    hub.seen.filter(({ url }) => url.startsWith('/cdn/')).map(({ range }) => range),
    [`bytes=${arrived}-`],
  );
  assert.ok(!fs.existsSync(part));
  assert.deepEqual(fs.readFileSync(path.join(blobs, sha256(weights))), weights);
});

test('what another program left unfinished is taken over when it is old, and replaced when its bytes are wrong', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const blobs = path.join(hub.cache, 'models--org--tiny', 'blobs');
  fs.mkdirSync(blobs, { recursive: true });
  const foreign = path.join(blobs, `${sha256(weights)}.incomplete`);
  fs.writeFileSync(foreign, Buffer.alloc(5000, 7)); // not what the file begins with
  const old = new Date(Date.now() - 120_000);
  fs.utimesSync(foreign, old, old);
  await fetchModel({ path: 'org/tiny' }, here);
  assert.deepEqual(
    hub.seen.filter(({ url }) => url.startsWith('/cdn/')).map(({ range }) => range),
    ['bytes=5000-', undefined],
  );
  assert.deepEqual(fs.readFileSync(path.join(blobs, sha256(weights))), weights);
});

test('a wrong checksum: one line, and nothing wrong stays in the cache', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  hub.corrupt('model.safetensors', 1);
  const error = await complaint(fetchModel({ path: 'org/tiny' }, here));
  assert.equal(error.code, 'badModel');
  assert.match(
    error.message,
    /^model\.safetensors of org\/tiny arrived with another checksum than the hub names .*run again/,
  );
  const blobs = path.join(hub.cache, 'models--org--tiny', 'blobs');
  assert.deepEqual(
    fs.readdirSync(blobs).filter((name) => name.startsWith(sha256(weights))),
    [],
  );
  await fetchModel({ path: 'org/tiny' }, here);
  assert.equal(openCheckpoint('org/tiny').files.length, 1);
});

test('two downloads at the same time fetch every byte once', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  hub.slow(1);
  await Promise.all([fetchModel({ path: 'org/tiny' }, here), fetchModel({ path: 'org/tiny' }, here)]);
  const names = hub.downloads().filter((name) => name === 'model.safetensors');
  assert.equal(names.length, 2); // one redirect, one answer
  assert.equal(openCheckpoint('org/tiny').config.model_type, 'llama');
});

test('a lock whose process is gone is taken over', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  const blobs = path.join(hub.cache, 'models--org--tiny', 'blobs');
  fs.mkdirSync(blobs, { recursive: true });
  fs.writeFileSync(
    path.join(blobs, `${sha256(weights)}.layerif.lock`),
    JSON.stringify({ host: os.hostname(), pid: 2 ** 22 + 1 }),
  );
  await fetchModel({ path: 'org/tiny' }, here);
  assert.ok(fs.existsSync(path.join(blobs, sha256(weights))));
});

test('the token goes to the hub and to no other address', async (t) => {
  const hub = await fakeHub(t, { 'org/secret': { files, token: 'hf_abc', gated: true } });
  process.env.HF_TOKEN_PATH = path.join(hub.cache, 'my-token');
  fs.writeFileSync(process.env.HF_TOKEN_PATH, 'hf_abc\n');
  await fetchModel({ path: 'org/secret' }, here);
  for (const { url, authorization } of hub.seen)
    assert.equal(authorization, url.startsWith('/cdn/') ? undefined : 'Bearer hf_abc', url);
  assert.ok(hub.seen.some(({ url }) => url.startsWith('/cdn/')));
});

test('revisions: a branch, its commit, one that is not there', async (t) => {
  const config = JSON.stringify({ ...JSON.parse(files['config.json'].toString()), rope_theta: 77 });
  const hub = await fakeHub(t, { 'org/tiny': { files, branches: { 'refs/pr/1': { 'config.json': config } } } });
  await fetchModel({ path: 'org/tiny', revision: 'refs/pr/1' }, here);
  const commit = hub.commitOf('org/tiny', 'refs/pr/1');
  const checkpoint = openCheckpoint('org/tiny', { revision: 'refs/pr/1' });
  assert.deepEqual([checkpoint.revision, checkpoint.config.rope_theta], [commit, 77]);
  assert.equal(openCheckpoint('org/tiny', { revision: commit }).config.rope_theta, 77);
  await fetchModel({ path: 'org/tiny' }, here);
  assert.notEqual(openCheckpoint('org/tiny').config.rope_theta, 77);
  // Both snapshots share the weights' blob.
  assert.equal(hub.downloads().filter((name) => name === 'model.safetensors').length, 2);
  const error = await complaint(fetchModel({ path: 'org/tiny', revision: 'v9' }, here));
  assert.match(error.message, /^model org\/tiny has no revision "v9"; http.*\/org\/tiny\/commits names/);
});

test('a file that was truncated in the cache is fetched again', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  await fetchModel({ path: 'org/tiny' }, here);
  const blob = path.join(hub.cache, 'models--org--tiny', 'blobs', sha256(weights));
  fs.truncateSync(blob, 100);
  await fetchModel({ path: 'org/tiny' }, here);
  assert.deepEqual(fs.readFileSync(blob), weights);
});

test('every file that says something of tokens and of generating, of the first form of tokenizer there is', async (t) => {
  const named = [
    'generation_config.json',
    'tokenizer_config.json',
    'special_tokens_map.json',
    'added_tokens.json',
    'chat_template.jinja',
  ];
  const forms = ['tokenizer.json', 'tekken.json', 'tokenizer.model', 'vocab.json', 'merges.txt'];
  const whole = ['config.json', 'model.safetensors', ...named];
  const repository = (...names: string[]) => ({
    files: Object.fromEntries([...whole, ...names, 'README.md', 'params.json'].map((name) => [name, '{}'])),
  });
  await fakeHub(t, {
    'org/all': repository(...forms),
    'org/tekken': repository(...forms.slice(1)),
    'org/model': repository(...forms.slice(2)),
    'org/words': repository(...forms.slice(3)),
    'org/half': repository('vocab.json'),
  });
  const asked = async (id: string) =>
    (await missingModel({ path: id }, here))!.files.map((file) => file.path).filter((name) => !whole.includes(name));
  assert.deepEqual(await asked('org/all'), ['tokenizer.json']);
  assert.deepEqual(await asked('org/tekken'), ['tekken.json']);
  assert.deepEqual(await asked('org/model'), ['tokenizer.model']);
  assert.deepEqual((await asked('org/words')).sort(), ['merges.txt', 'vocab.json']);
  assert.deepEqual(await asked('org/half'), []);
  const all = (await missingModel({ path: 'org/all' }, here))!.files.map((file) => file.path);
  assert.deepEqual(all.sort(), [...whole, 'tokenizer.json'].sort());
});

test('sharded models, GGUF files, and repositories that hold neither', async (t) => {
  const gguf = fs.readFileSync(path.join(import.meta.dirname, '../reference/gguf/llama.gguf'));
  const split = path.join(import.meta.dirname, '../reference/gguf_split');
  const parts = [1, 2, 3].map((number) => {
    const name = `llama-0000${number}-of-00003.gguf`;
    return [name, fs.readFileSync(path.join(split, name))] as const;
  });
  const basics = { 'config.json': files['config.json'], 'tokenizer.json': files['tokenizer.json'] };
  const index = JSON.stringify({
    weight_map: { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' },
  });
  const shard = Buffer.alloc(10);
  const hub = await fakeHub(t, {
    'org/shards': {
      files: {
        ...basics,
        'model.safetensors.index.json': index,
        'model-00001-of-00002.safetensors': shard,
        'model-00002-of-00002.safetensors': shard,
        'consolidated.safetensors': shard,
      },
    },
    'org/lacking': {
      files: { ...basics, 'model.safetensors.index.json': index, 'model-00001-of-00002.safetensors': shard },
    },
    'org/one-gguf': { files: { 'tiny.gguf': gguf, 'README.md': 'x' } },
    'org/ggufs': { files: { 'a-Q4_0.gguf': gguf, 'a-Q8_0.gguf': gguf } },
    'org/parts': { files: Object.fromEntries(parts) },
    'org/two-kinds': { files: Object.fromEntries([...parts, ['b.gguf', gguf]]) },
    'org/parts-lacking': { files: Object.fromEntries(parts.slice(1)) },
    'org/folders': {
      files: Object.fromEntries([...parts, ['a.gguf', gguf] as const].map(([name, bytes]) => [`Q4/${name}`, bytes])),
    },
    'org/pickled': { files: { ...basics, 'pytorch_model.bin': shard } },
    'org/adapter': { files: { 'adapter_config.json': '{}', 'adapter_model.safetensors': shard } },
    'org/empty': { files: { 'README.md': 'x' } },
  });
  const missing = await missingModel({ path: 'org/shards' }, here);
  assert.deepEqual(missing!.files.map((file) => file.path).sort(), [
    'config.json',
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
    'tokenizer.json',
  ]);
  assert.deepEqual(fs.readdirSync(hub.cache), []); // only asked
  await fetchModel({ path: 'org/one-gguf' }, here);
  const opened = openCheckpoint('org/one-gguf');
  assert.deepEqual([opened.format, opened.name, opened.revision], ['gguf', 'one-gguf', hub.commitOf('org/one-gguf')]);
  await fetchModel({ path: 'org/parts' }, here);
  const joined = openCheckpoint('org/parts');
  assert.deepEqual([joined.name, joined.files.length, joined.tensors.size], ['parts', 3, opened.tensors.size]);
  const said = async (id: string) => {
    const error = await complaint(fetchModel({ path: id }, here));
    assert.equal(error.code, 'badModel');
    return error.message;
  };
  assert.match(
    await said('org/lacking'),
    /index\.json names model-00002-of-00002\.safetensors, which the repository does not have/,
  );
  assert.match(
    await said('org/ggufs'),
    /has 2 GGUF files; choose one: "hf download org\/ggufs NAME".*a-Q4_0\.gguf, a-Q8_0\.gguf/,
  );
  assert.match(
    await said('org/two-kinds'),
    /has 2 GGUF files; .*\(llama-00001-of-00003\.gguf \(the first of 3 parts\), b\.gguf\)/,
  );
  assert.match(
    await said('org/parts-lacking'),
    /has 2 of the 3 parts of llama-00001-of-00003\.gguf; part 1 is missing/,
  );
  assert.match(
    await said('org/folders'),
    /GGUF files in folders; choose one: .*\(Q4\/llama-00001-of-00003\.gguf \(the first of 3 parts\), Q4\/a\.gguf\)/,
  );
  assert.match(await said('org/pickled'), /only as pytorch_model\.bin: pickled weights can hold code and are not read/);
  assert.match(await said('org/adapter'), /is a PEFT adapter, no model; .*model\.adapter/);
  assert.match(await said('org/empty'), /has neither model\.safetensors nor .* it has README\.md/);
});

test('refusals: one line each with what to do', async (t) => {
  const hub = await fakeHub(t, {
    'org/tiny': { files },
    'org/gated': { files, token: 'hf_x', gated: true },
    'org/private': { files, token: 'hf_x' },
  });
  await fetchModel({ path: 'org/tiny' }, here);
  const said = async (id: string, code = 'badModel') => {
    const error = await complaint(fetchModel({ path: id }, here));
    assert.equal(error.code, code);
    return error.message.replaceAll(hub.address, '<hub>');
  };
  assert.equal(
    await said('org/gated'),
    'model org/gated is gated: accept its licence at <hub>/org/gated with your account; then set a token in HF_TOKEN or log in with "hf auth login"',
  );
  assert.equal(
    await said('org/tinny'),
    'model org/tinny is neither a path nor on <hub>, or it is private (set a token in HF_TOKEN or log in with "hf auth login"); in the cache: org/tiny',
  );
  process.env.HF_TOKEN = 'other';
  assert.match(await said('org/gated'), /the token of HF_TOKEN has no access yet$/);
  assert.match(
    await said('org/nothing'),
    /^model org\/nothing is neither a path nor on <hub>, or the token may not read it/,
  );
  delete process.env.HF_TOKEN;
  for (const [name, value] of [
    ['HF_HUB_OFFLINE', '1'],
    ['TRANSFORMERS_OFFLINE', 'true'],
  ]) {
    process.env[name] = value;
    const asked = hub.seen.length;
    await fetchModel({ path: 'org/other' }, here);
    assert.equal(hub.seen.length, asked);
    assert.throws(
      () => openCheckpoint('org/other'),
      new RegExp(
        `neither a path nor in the Hugging Face cache .*; ${name} forbids to download it: unset it, or run "hf download org/other"`,
      ),
    );
    assert.equal(openCheckpoint('org/tiny').name, 'tiny');
    delete process.env[name];
  }
  process.env.HF_ENDPOINT = 'http://127.0.0.1:9';
  assert.match(
    await said('org/other', 'failed'),
    /^model org\/other cannot be downloaded from http:\/\/127\.0\.0\.1:9 \(.*\); check the network and run again/,
  );
});

test('a cache folder that cannot be written to, and a disk that is too small', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files } });
  fs.writeFileSync(path.join(hub.cache, 'file'), '');
  process.env.HF_HUB_CACHE = path.join(hub.cache, 'file', 'hub');
  const error = await complaint(fetchModel({ path: 'org/tiny' }, here));
  assert.equal(error.code, 'cannotWrite');
  assert.match(
    error.message,
    /^cannot write to the Hugging Face cache .*a part of the path is a file; choose another folder with HF_HUB_CACHE$/,
  );
  process.env.HF_HUB_CACHE = hub.cache;
  t.mock.method(fs, 'statfsSync', () => ({ bavail: 10, bsize: 512 }));
  const full = await complaint(fetchModel({ path: 'org/tiny' }, here));
  assert.equal(full.code, 'notEnoughDisk');
  assert.match(
    full.message,
    /^model org\/tiny needs \d+ kB more, the disk of the Hugging Face cache .* has 6 kB; free some space/,
  );
});

test('names that lead out of the snapshot are not followed', async (t) => {
  const hub = await fakeHub(t, { 'org/tiny': { files: { ...files, '../../evil': 'x', 'a\\b': 'x' } } });
  const missing = await missingModel({ path: 'org/tiny' }, here);
  assert.ok(missing!.listing.files.every(({ path: name }) => !name.includes('evil') && !name.includes('\\')));
  assert.deepEqual(fs.readdirSync(hub.cache), []);
});
