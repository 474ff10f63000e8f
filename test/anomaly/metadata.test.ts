/**
 * Texts in the metadata of a GGUF file are data: none is opened as a path, none is run as a template, none changes the
 * config.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { counting, file, ggufBytes, llamaMetadata } from '../checkpoints/files.ts';
import { folder } from '../data/files.ts';

const hostile = {
  'general.name': '../../../../etc/passwd',
  'general.basename': '/etc/hosts',
  'general.source.url': 'file:///etc/passwd',
  'general.base_model.0.repo_url': 'https://127.0.0.1:9/model',
  'general.file': '../secret',
  'split.path': '../../secret.gguf',
  'tokenizer.chat_template':
    '{% for i in range(1000000000) %}{{ i }}{% endfor %}{% include "/etc/passwd" %}{{ "".__class__ }}',
  'tokenizer.ggml.model': '../../tokenizer.json',
  __proto__polluted: 'x',
  'constructor.prototype': 'x',
};

test('hostile texts beside a model change nothing but themselves', (t) => {
  const root = folder(t, {});
  const path = (name: string, extra: Record<string, string>) =>
    file(root, name, ggufBytes({ metadata: llamaMetadata(extra), tensors: [counting('token_embd.weight', 5, 8)] }));
  const plain = openCheckpoint(path('plain.gguf', {}));
  const bad = path('bad.gguf', hostile);

  const opened: string[] = [];
  const spies = (['openSync', 'readFileSync', 'readdirSync'] as const).map((name) => {
    const own = fs[name] as (...args: unknown[]) => unknown;
    return t.mock.method(fs, name, (...args: unknown[]) => {
      opened.push(String(args[0]));
      return own.apply(fs, args);
    });
  });
  const checkpoint = openCheckpoint(bad);
  for (const name of checkpoint.tensors.keys()) checkpoint.read(name);
  for (const spy of spies) spy.mock.restore();

  assert.deepEqual(checkpoint.config, plain.config);
  assert.equal(checkpoint.name, 'bad', 'the name of a model is that of its file');
  assert.deepEqual(checkpoint.files, [bad]);
  assert.ok(opened.length > 0, 'the spy sees the file itself');
  for (const name of opened) assert.ok(name === bad || /^\d+$/.test(name) || name === root, `opened ${name}`);
  assert.deepEqual(Object.keys(Object.prototype), []);
  checkpoint.close();
  plain.close();
});
