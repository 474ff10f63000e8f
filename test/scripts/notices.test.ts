/** `dist/ThirdPartyNotices.txt` names ONNX Runtime's licence and those of the libraries inside its native library. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');
const { writeNotices } = (await import(new URL('../../scripts/notices.mjs', import.meta.url).href)) as {
  writeNotices: (outputs: Record<string, { inputs: Record<string, unknown> }>, file: string) => void;
};

test('licence and notices of the library that ships', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-notices-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'notices.txt');
  const before = process.cwd();
  process.chdir(root);
  t.after(() => process.chdir(before));
  writeNotices({ a: { inputs: { 'node_modules/preact/dist/preact.mjs': {}, 'server/src/x.ts': {} } } }, file);
  const text = fs.readFileSync(file, 'utf8');
  for (const words of [
    'onnxruntime-node 1.30.0: MIT',
    'onnxruntime-common 1.30.0: MIT',
    'Copyright (c) Microsoft Corporation',
    'Eigen',
    'preact ',
  ])
    assert.ok(text.includes(words), words);
  assert.ok(!text.includes('has no licence file'));
});

test('the copies are of the version that is installed', () => {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const said = fs.readFileSync(path.join(root, 'third-party/README.md'), 'utf8');
  assert.ok(said.includes(`version ${dependencies['onnxruntime-node']}`));
});
