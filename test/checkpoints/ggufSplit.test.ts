/**
 * A GGUF model in parts that gguf-py wrote (test/reference/gguf_split): any part stands for all, and what parts can
 * lack.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { hashFiles, hashOfHashes } from '../../server/src/checkpoints/hashFiles.ts';
import { ggufModels, shownModel } from '../../server/src/checkpoints/ggufSplit.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { inspectModel } from '../../server/src/run/inputs/inspect.ts';
import { folder } from '../data/files.ts';
import { complaint, counting, file, ggufBytes, llamaMetadata } from './files.ts';

const reference = path.join(import.meta.dirname, '../reference');
const source = path.join(reference, 'gguf_split');
const partOf = (number: number, count = 3) => `llama-0000${number}-of-0000${count}.gguf`;
const whole = openCheckpoint(path.join(reference, 'gguf/llama.gguf'));

function copied(root: string, names: Record<string, string> = {}): string {
  for (const number of [1, 2, 3]) {
    const name = partOf(number);
    fs.copyFileSync(path.join(source, name), path.join(root, names[name] ?? name));
  }
  return root;
}

test('any part, a link to one, or the folder opens all: tensors, configuration, files and hash', async (t) => {
  const root = copied(folder(t, {}));
  process.env.XDG_CACHE_HOME = folder(t, {});
  const links = folder(t, {});
  fs.symlinkSync(path.join(root, partOf(2)), path.join(links, 'model.gguf'));
  const files = [1, 2, 3].map((number) => path.join(root, partOf(number)));
  const sha256 = hashOfHashes(await hashFiles(files));
  for (const target of [...files, root, path.join(links, 'model.gguf')]) {
    const opened = openCheckpoint(target);
    assert.deepEqual(opened.files, files);
    assert.equal(opened.name, target.startsWith(links) ? 'model' : 'llama');
    assert.deepEqual(opened.config, whole.config);
    assert.deepEqual([...opened.tensors.keys()].sort(), [...whole.tensors.keys()].sort());
    for (const name of whole.tensors.keys()) assert.deepEqual(opened.read(name), whole.read(name), name);
    assert.equal(await opened.sha256(), sha256);
    const { parameters, coverage, layers } = inspectModel(target);
    const right = inspectModel(whole.path);
    assert.deepEqual([parameters, coverage, layers], [right.parameters, right.coverage, right.layers]);
  }
});

test('a cache of links, as the hub has it: parts are found by the names of the links', (t) => {
  const blobs = folder(t, {});
  const snapshot = folder(t, {});
  for (const number of [1, 2, 3]) {
    fs.copyFileSync(path.join(source, partOf(number)), path.join(blobs, `blob${number}`));
    fs.symlinkSync(path.join(blobs, `blob${number}`), path.join(snapshot, partOf(number)));
  }
  const opened = openCheckpoint(path.join(snapshot, partOf(1)));
  assert.equal(opened.tensors.size, whole.tensors.size);
  assert.deepEqual(
    opened.files.map((name) => path.basename(name)),
    ['blob1', 'blob2', 'blob3'],
  );
});

const said = (root: string, number = 1) => complaint(() => openCheckpoint(path.join(root, partOf(number))), root);

test('a missing part is named', (t) => {
  const root = copied(folder(t, {}));
  fs.rmSync(path.join(root, partOf(2)));
  const message =
    /^llama-00003-of-00003\.gguf: it is one of 3 parts of a model, of which <root> lacks llama-00002-of-00003\.gguf; download/;
  assert.match(said(root, 3), message);
  fs.rmSync(path.join(root, partOf(1)));
  assert.match(said(root, 3), /lacks llama-00001-of-00003\.gguf, llama-00002-of-00003\.gguf;/);
});

test('parts whose names were swapped or lost', (t) => {
  const swapped = copied(folder(t, {}), { [partOf(2)]: partOf(3), [partOf(3)]: partOf(2) });
  assert.match(said(swapped), /^llama-00002-of-00003\.gguf is named as part 2 of 3, its metadata say part 3;/);
  const lost = copied(folder(t, {}), { [partOf(1)]: 'model.gguf' });
  assert.match(
    complaint(() => openCheckpoint(path.join(lost, 'model.gguf')), lost),
    /^model\.gguf: it is one of 3 parts of a model, and its name does not say where the others are; name all 3 files NAME-00001-of-00003\.gguf/,
  );
});

/** A two-part Llama of one layer. */
function two(
  root: string,
  first: Parameters<typeof llamaMetadata>[0],
  second: Parameters<typeof llamaMetadata>[0],
  names = ['output_norm.weight'],
): string {
  const split = (no: number) => ({
    'split.no': { u32: no },
    'split.count': { u32: 2 },
    'split.tensors.count': { u32: 2 },
  });
  const bytes = ggufBytes({
    metadata: llamaMetadata({ ...split(0), ...first }),
    tensors: [counting('token_embd.weight', 5, 8)],
  });
  file(root, partOf(1, 2), bytes);
  const entries = Object.entries({ ...split(1), ...second }).filter(([, value]) => value !== undefined) as ReturnType<
    typeof llamaMetadata
  >;
  file(root, partOf(2, 2), ggufBytes({ metadata: entries, tensors: names.map((name) => counting(name, 8)) }));
  return complaint(() => openCheckpoint(path.join(root, partOf(1, 2))), root);
}

test('parts of different models are told apart', (t) => {
  const root = folder(t, {});
  const apart = /download all parts of one model into a folder of their own$/;
  const cases: [string, RegExp][] = [
    [
      two(root, {}, { 'split.count': { u32: 3 } }),
      /^llama-00002-of-00002\.gguf is named as one of 2 parts, its metadata say one of 3;/,
    ],
    [two(root, {}, { 'split.count': { u32: 0 } }), /its metadata say that it is a whole model;/],
    [
      two(root, {}, { 'split.tensors.count': { u32: 9 } }),
      /^llama-00002-of-00002\.gguf belongs to a model of 9 tensors, llama-00001-of-00002\.gguf to one of 2;/,
    ],
    [
      two(root, {}, { 'general.architecture': 'qwen2' }),
      /with general\.architecture "qwen2", the first part has llama;/,
    ],
    [two(root, { 'general.name': 'A' }, { 'general.name': 'B' }), /with general\.name "B", the first part has A;/],
    [
      two(root, {}, {}, ['token_embd.weight']),
      /^tensor token_embd\.weight stands in part 1 and in llama-00002-of-00002\.gguf;/,
    ],
    [
      two(root, {}, {}, ['output_norm.weight', 'blk.0.attn_norm.weight']),
      /^the 2 parts beside llama-00001-of-00002\.gguf hold 3 tensors, their metadata say 2;/,
    ],
  ];
  for (const [message, expected] of cases) {
    assert.match(message, expected);
    assert.match(message, apart);
  }
  assert.match(
    two(root, {}, { 'split.no': undefined }),
    /^llama-00002-of-00002\.gguf is named as part 2 of 2, its metadata lack split\.no;/,
  );
});

test('which models lie in a folder, and how a message calls them', () => {
  const names = [partOf(3), 'a.gguf', partOf(1), 'B.GGUF', 'x.txt', partOf(1, 2)];
  assert.deepEqual(ggufModels(names), [
    { first: partOf(1), files: [partOf(1), partOf(3)], missing: [2] },
    { first: 'a.gguf', files: ['a.gguf'], missing: [] },
    { first: 'B.GGUF', files: ['B.GGUF'], missing: [] },
    { first: partOf(1, 2), files: [partOf(1, 2)], missing: [2] },
  ]);
  assert.deepEqual(ggufModels(names).map(shownModel), [
    `${partOf(1)} (the first of 3 parts)`,
    'a.gguf',
    'B.GGUF',
    `${partOf(1, 2)} (the first of 2 parts)`,
  ]);
});

test('a folder with several GGUF models asks for one of them, each named once', (t) => {
  const root = copied(folder(t, {}));
  fs.copyFileSync(path.join(reference, 'gguf/llama.gguf'), path.join(root, 'other.gguf'));
  const shown = `${partOf(1)} (the first of 3 parts), other.gguf; give the path of one of these files`;
  assert.equal(
    complaint(() => openCheckpoint(root), root),
    `<root> has no config.json but ${shown}`,
  );
  fs.writeFileSync(path.join(root, 'config.json'), '{"model_type":"llama"}');
  assert.equal(
    complaint(() => openCheckpoint(root), root),
    `<root> has neither model.safetensors nor model.safetensors.index.json but ${shown}`,
  );
});

test('a big-endian file is called what it is', () => {
  const target = path.join(source, 'big-endian.gguf');
  assert.equal(
    complaint(() => openCheckpoint(target), source),
    'big-endian.gguf is a GGUF file in big-endian byte order, made for machines such as IBM Z; only little-endian files can be read: take the little-endian file of the model, or convert a copy of this one (gguf-py: gguf-convert-endian FILE little)',
  );
});
