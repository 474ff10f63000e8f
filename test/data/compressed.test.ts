/** Compressed text of every format, told by its first bytes, unpacked while it is read. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openDataset, readSlice } from '../../server/src/data/splits.ts';
import { folder, refusal } from './files.ts';
import { unpacked } from '../../server/src/data/readers/decompress.ts';

const zstd = (name: string) => readFileSync(join(import.meta.dirname, '../reference/data', name));

/** compressed.py */
const reference = JSON.parse(readFileSync(join(import.meta.dirname, '../reference/data/compressed.json'), 'utf8')) as {
  cases: Record<string, { file: string; sha256: string; bytes: number }>;
  refused: Record<string, string>;
  rows: string;
};

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  await Promise.resolve();
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function rowsOf(root: string, path: string): Promise<unknown[]> {
  const dataset = await openDataset('d', { path }, root);
  const rows = await readSlice(dataset, 'train');
  assert.equal(await dataset.count('train'), rows.length);
  return rows.map(({ line, values }) => [line, values]);
}

test('gzip of every text format, in several members, under any ending that names the format', async (t) => {
  const members = Buffer.concat([gzipSync('{"a":1}\n{"a"'), gzipSync(':2}\n')]);
  const root = folder(t, {
    'a.jsonl.gz': members,
    'b.json.gz': gzipSync('[{"a":1},\n{"a":2}]'),
    'c.csv.gz': gzipSync('\uFEFFa\n1\n2\n'),
    'd.tsv.gz': gzipSync('a\tb\n1\tx\n'),
    'e.txt.gz': gzipSync('one\ntwo'),
    'f.jsonl': members, // datasets looks at the bytes too
  });
  const two = [
    [1, { a: 1 }],
    [2, { a: 2 }],
  ];
  assert.deepEqual(await rowsOf(root, 'a.jsonl.gz'), two);
  assert.deepEqual(await rowsOf(root, 'b.json.gz'), two);
  assert.deepEqual(await rowsOf(root, 'f.jsonl'), two);
  assert.deepEqual(await rowsOf(root, 'c.csv.gz'), [
    [2, { a: 1 }],
    [3, { a: 2 }],
  ]);
  assert.deepEqual(await rowsOf(root, 'd.tsv.gz'), [[2, { a: 1, b: 'x' }]]);
  assert.deepEqual(await rowsOf(root, 'e.txt.gz'), [
    [1, { text: 'one' }],
    [2, { text: 'two' }],
  ]);
});

test('Zstandard, in several frames, as the zstd program writes it', async (t) => {
  const root = folder(t, { 'a.jsonl.zst': zstd('rows.jsonl.zst') });
  const rows = await rowsOf(root, 'a.jsonl.zst');
  assert.equal(rows.length, 3000);
  assert.deepEqual(rows[2999], [3000, { text: 'row 2999', n: 2999 }]);
});

test('a file that unfolds without end is read piece by piece', async () => {
  let bytes = 0;
  let largest = 0;
  const file = (async function* () {
    await Promise.resolve();
    yield zstd('bomb.jsonl.zst');
  })();
  for await (const chunk of unpacked(file, 'bomb.jsonl.zst')) {
    bytes += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  assert.equal(bytes, 2 ** 28);
  assert.ok(largest <= 2 ** 17, `${largest} bytes at once`);
});

test('cut off, damaged, greedy, or by another program: one message', async (t) => {
  const whole = zstd('rows.jsonl.zst');
  const root = folder(t, {
    'cut.jsonl.zst': whole.subarray(0, whole.length - 9),
    'cut.jsonl.gz': gzipSync('{"a":1}\n').subarray(0, 20),
    'window.jsonl.zst': Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 20 << 3, 1, 0, 0]),
    'a.jsonl.lz4': Buffer.from([0x04, 0x22, 0x4d, 0x18, 0, 0, 0, 0]),
    'a.csv.zip': Buffer.from('PK\x03\x04........'),
  });
  const say = (name: string): Promise<string> => refusal(() => rowsOf(root, name), root);
  assert.match(
    await say('cut.jsonl.zst'),
    /^cut\.jsonl\.zst: the file is not readable as Zstandard: it is cut off or damaged; copy or download it again$/,
  );
  assert.match(
    await say('cut.jsonl.gz'),
    /^cut\.jsonl\.gz: the file is not readable as gzip: it is cut off or damaged;/,
  );
  assert.equal(
    await say('window.jsonl.zst'),
    'window.jsonl.zst: the file is not readable as Zstandard: it needs a window of more than 128 MiB; compress it without --long',
  );
  for (const [name, by, advice] of [
    ['a.jsonl.lz4', 'LZ4', 'lz4 -d FILE'],
    ['a.csv.zip', 'zip', 'unzip FILE'],
  ])
    assert.equal(
      await say(name),
      `${name}: the file is compressed by ${by}, which is not read here; unpack it (${advice}), or compress it by gzip, bzip2, xz or zstd`,
    );
});

for (const [name, { file, sha256, bytes }] of Object.entries(reference.cases)) {
  test(`${name}: the text that Python reads, in chunks of any size`, async () => {
    for (const size of [1 << 18, 700]) {
      const hash = createHash('sha256');
      let length = 0;
      for await (const chunk of unpacked(chunks(Buffer.from(file, 'base64'), size), 'a')) {
        hash.update(chunk);
        length += chunk.length;
      }
      assert.equal(length, bytes);
      assert.equal(hash.digest('hex'), sha256);
    }
  });
}

test('bzip2 and xz are read as rows', async (t) => {
  const stored = (name: string) => Buffer.from(reference.cases[name].file, 'base64');
  const root = folder(t, { 'a.jsonl.bz2': stored('bzip2, rows'), 'b.jsonl.xz': stored('xz, rows') });
  for (const name of ['a.jsonl.bz2', 'b.jsonl.xz']) {
    const rows = await rowsOf(root, name);
    assert.equal(rows.length, 150);
    assert.deepEqual(rows[0], [1, JSON.parse(reference.rows)]);
  }
});

test('a byte that is changed or left out anywhere in bzip2 and xz is an error', async () => {
  for (const name of ['bzip2, two streams', 'xz, CRC32', 'xz, SHA-256', 'xz, many blocks']) {
    const whole = Buffer.from(reference.cases[name].file, 'base64');
    for (let at = 7; at < whole.length; at += 97) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x10;
      for (const damaged of [changed, whole.subarray(0, at)])
        await assert.rejects(
          async () => {
            for await (const chunk of unpacked(chunks(damaged, 4096), 'a')) assert.ok(chunk.length >= 0);
          },
          /^LayerifError: the file is not readable as (bzip2|xz)/,
          `${name} at ${at}`,
        );
    }
  }
});

test('xz with other filters or a dictionary of 256 MiB is refused with what to do', async (t) => {
  const stored = (name: string) => Buffer.from(reference.refused[name], 'base64');
  const root = folder(t, { 'delta.jsonl.xz': stored('delta'), 'large.jsonl.xz': stored('dictionary') });
  assert.equal(
    await refusal(() => rowsOf(root, 'delta.jsonl.xz'), root),
    'delta.jsonl.xz: the file is not readable as xz: it was made with a filter beside LZMA2; compress it by xz without such options',
  );
  assert.equal(
    await refusal(() => rowsOf(root, 'large.jsonl.xz'), root),
    'large.jsonl.xz: the file is not readable as xz: it needs a dictionary of more than 128 MiB; compress it by xz -9',
  );
});

test('folders whose names hold the characters of patterns', async (t) => {
  const row = '{"a":1}\n';
  const names = ['Daten (2024)', '{x}', '!new', '[v2]', 'a b', 'plus+(a)', "it's"];
  const root = folder(t, Object.fromEntries(names.map((name) => [`${name}/train (1).jsonl`, row])));
  for (const name of names) {
    for (const pattern of [
      `${name}/*.jsonl`,
      `${name}/train (1).json*`,
      `./${name}/**/*(1)*`,
      `${root}/${name}/*.jsonl`,
    ])
      assert.deepEqual(await rowsOf(root, pattern), [[1, { a: 1 }]], pattern);
  }
  assert.deepEqual(await rowsOf(root, 'Daten (2024)\\*.jsonl'), [[1, { a: 1 }]]);
  assert.match(await refusal(() => rowsOf(root, 'nowhere/*.jsonl')), /the folder nowhere of the pattern/);
});
