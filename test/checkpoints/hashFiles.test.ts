import { beforeEach, test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, hashFiles, hashOfHashes } from '../../server/src/checkpoints/hashFiles.ts';
import { LayerifError } from '../../protocol/errors.ts';
import { folder } from '../data/files.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

let cache = '';
beforeEach((t) => {
  cache = folder(t as TestContext, {});
  process.env.XDG_CACHE_HOME = cache;
});
const cacheFile = () => join(cacheFolder(), 'sha256.json');
type Entry = { size: number; mtimeMs: number; sha256: string };
const cached = () => JSON.parse(readFileSync(cacheFile(), 'utf8')) as Record<string, Entry>;

test('SHA-256 in the order of the files, of the empty file too', async (t) => {
  const root = folder(t, { a: 'abc', b: '' });
  assert.deepEqual(await hashFiles([join(root, 'b'), join(root, 'a')]), [
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  ]);
  assert.equal(hashOfHashes(['a', 'b']), digest('ab'));
});

test('a hash is remembered by real path, size and time', async (t) => {
  const root = folder(t, { a: 'abc' });
  const path = join(root, 'a');
  symlinkSync(path, join(root, 'link'));
  await hashFiles([join(root, 'link')]);
  assert.deepEqual(Object.keys(cached()), [realpathSync(path)]);

  // What the cache says is believed: put a mark there.
  const marked = 'f'.repeat(64);
  writeFileSync(
    cacheFile(),
    JSON.stringify({ [realpathSync(path)]: { ...cached()[realpathSync(path)], sha256: marked } }),
  );
  assert.deepEqual(await hashFiles([path]), [marked]);

  utimesSync(path, new Date(), new Date(Date.now() + 5000));
  assert.deepEqual(await hashFiles([path]), [digest('abc')]);
  const [entry] = Object.values(cached());
  writeFileSync(path, 'abcd');
  utimesSync(path, new Date(), new Date(entry.mtimeMs));
  assert.deepEqual(await hashFiles([path]), [digest('abcd')]);
});

test('files that are gone are forgotten, and what killed processes left beside the cache', async (t) => {
  const root = folder(t, { a: 'abc', b: '', c: 'abcd' });
  await hashFiles([join(root, 'a'), join(root, 'b')]);
  rmSync(join(root, 'a'));
  const old = new Date(Date.now() - 2 * 3_600_000);
  const [left, young, other] = ['.sha256.json.17.tmp', '.sha256.json.18.tmp', 'other.tmp'];
  for (const name of [left, young, other]) writeFileSync(join(cacheFolder(), name), '{');
  for (const name of [left, other]) utimesSync(join(cacheFolder(), name), old, old);
  await hashFiles([join(root, 'c')]);
  assert.deepEqual(Object.keys(cached()), [realpathSync(join(root, 'b')), realpathSync(join(root, 'c'))]);
  assert.deepEqual(readdirSync(cacheFolder()).sort(), [young, other, 'sha256.json']);
});

for (const [what, spoil] of Object.entries({
  'is not JSON': () => writeFileSync(cacheFile(), '{"'),
  'is null': () => writeFileSync(cacheFile(), 'null'),
  'has other entries': () => writeFileSync(cacheFile(), JSON.stringify({ a: null, b: 3, c: { size: 1 } })),
  'is a folder': () => mkdirSync(cacheFile()),
  'has a file for its folder': () => {
    rmSync(cacheFolder(), { recursive: true });
    writeFileSync(cacheFolder(), '');
  },
})) {
  test(`a cache that ${what} costs only time`, async (t) => {
    const root = folder(t, { a: 'abc' });
    mkdirSync(cacheFolder(), { recursive: true });
    spoil();
    assert.deepEqual(await hashFiles([join(root, 'a')]), [digest('abc')]);
  });
}

test('a file that is not there is named', async (t) => {
  const root = folder(t, {});
  await assert.rejects(
    hashFiles([join(root, 'none')]),
    (error) => error instanceof LayerifError && /^cannot read .*none: it does not exist$/.test(error.message),
  );
});
