import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { folder } from '../data/files.ts';
import { complaint } from './files.ts';

const expected = 'expected: folder with config.json and .safetensors, .gguf file, or a hub id org/name';

test('a path that does not exist: the nearest name, else what is there', (t) => {
  const root = folder(t, { 'SmolLM2.gguf': '', 'readme.md': '', '.hidden': '' });
  mkdirSync(join(root, 'empty'));
  const said = (path: string) => complaint(() => openCheckpoint(join(root, path)), root);
  assert.equal(said('SmolLM.gguf'), `model SmolLM.gguf does not exist (did you mean "SmolLM2.gguf"?); ${expected}`);
  assert.equal(said('other'), `model other does not exist (<root> has SmolLM2.gguf, empty, readme.md); ${expected}`);
  assert.equal(said('empty/model'), `model empty/model does not exist (empty is empty); ${expected}`);
  assert.equal(said('no/such/model'), `model no/such/model does not exist, nor does its folder no/such; ${expected}`);
});

test('a relative path that could be a hub id is said to be neither', (t) => {
  const root = folder(t, { 'models/tiny.gguf': '' });
  const before = process.cwd();
  process.chdir(root);
  t.after(() => process.chdir(before));
  assert.match(
    complaint(() => openCheckpoint('models/tinny.gguf'), root),
    /^model models\/tinny\.gguf is neither a path \(did you mean "tiny\.gguf"\?\) nor in the Hugging Face cache .*hf download/,
  );
});

test('files of other kinds are told what to do', (t) => {
  const root = folder(t, {
    'a.onnx': '',
    'model.safetensors': '',
    'pytorch_model.bin': '',
    'config.json': '{}',
    noending: '',
  });
  const said = (path: string) => complaint(() => openCheckpoint(join(root, path)), root);
  assert.equal(
    said('a.onnx'),
    `model a.onnx cannot be read: an ONNX graph can be scored, estimated, checked and inspected; this needs a checkpoint with its weights by name; ${expected}`,
  );
  assert.match(
    said('model.safetensors'),
    /cannot be read: give the folder that it lies in, with config\.json and tokenizer\.json beside it;/,
  );
  assert.match(
    said('pytorch_model.bin'),
    /cannot be read: pickled weights can hold code and are not read; save the model as safetensors/,
  );
  assert.match(said('config.json'), /cannot be read: give the folder that it lies in;/);
  assert.equal(said('noending'), `model noending cannot be read; ${expected}`);
});

test('an ending in capitals is a GGUF file too', (t) => {
  const root = folder(t, { 'A.GGUF': 'GGUF' });
  assert.match(
    complaint(() => openCheckpoint(join(root, 'A.GGUF')), root),
    /^A\.GGUF is not a usable GGUF file: the version at byte 4/,
  );
});
