/** What a user should know of a model is said by every command that computes with it, not by `score` alone. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { layerif } from './layerifProcess.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-warnings-')));
before(() => {
  const { experiment, model } = writeTinyWorkspace(folder);
  // As sentence-transformers leaves it.
  fs.writeFileSync(path.join(model, 'modules.json'), '[]');
  fs.appendFileSync(experiment, 'validate: { protocols: [surrogate] }\n');
});
after(() => fs.rmSync(folder, { recursive: true }));

const said = /Warning: modules\.json stands beside the model: it was trained for embeddings/g;

for (const words of [
  ['score', 'tiny.layerif.yaml'],
  ['evaluate', 'tiny.layerif.yaml', '--limit', '2'],
  ['prune', 'tiny.layerif.yaml', '--output', 'pruned', '--method', 'magnitude'],
  ['validate', 'tiny.layerif.yaml', '--task', 'sentiment'],
])
  test(`${words[0]} says it once`, async () => {
    const { stderr } = await layerif(words, { cwd: folder });
    assert.equal(stderr.match(said)?.length, 1, stderr);
  });
