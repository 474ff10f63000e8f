/** Errors of text, data and model are told together: none hides another, and none is told twice or as a consequence. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';

let root = '';
let file = '';
let good = '';
before(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-at-once-')));
  ({ experiment: file } = writeTinyWorkspace(root));
  good = fs.readFileSync(file, 'utf8').replace(/score:\n[\s\S]*/, 'score:\n  estimator: datainf\n');
});
after(() => fs.rmSync(root, { recursive: true }));

/** Line and beginning of every error, in their order. */
async function errors(text: string, depths: readonly ('quick' | 'full')[] = ['quick']): Promise<string[]> {
  const both = [];
  for (const depth of depths) {
    const { problems } = await checkExperiment(file, text, depth);
    const found = problems.filter(({ severity }) => severity === 'error');
    both.push(found.map(({ line, message }) => `${text.split('\n')[line - 1].trim()} | ${message}`));
  }
  for (const other of both) assert.deepEqual(other, both[0], 'both depths say the same of these');
  return both[0];
}

function assertSaid(said: readonly string[], expected: readonly RegExp[]): void {
  assert.equal(said.length, expected.length, said.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(said[i], pattern);
}

test('a value that the schema refuses, a column, a split and a model folder that are not there', async () => {
  const text = good
    .replace('./model', './modle')
    .replace('{{review}}', '{{revew}}')
    .replace('train[8:12]', 'train[300:350]')
    .replace('estimator: datainf', 'estimator: datainf\n  damping_factor: high');
  assertSaid(await errors(text, ['quick', 'full']), [
    /^path: \.\/modle \| model .*modle does not exist/,
    /^validation_split: train\[300:350\] \| .*the split train\[300:350\] is empty/,
    /^doc_to_text: .* uses "revew", which is not a column .*did you mean "review"/,
    /^damping_factor: high \| score\.damping_factor is "high"/,
  ]);
});

test('a misspelt key is read as what was meant: nothing is missing, and the rest is judged', async () => {
  assertSaid(await errors(good.replace('model:', 'modle:').replace('{{country}}', '{{land}}')), [
    /^modle: \| unknown key "modle"; did you mean "model"/,
    /^doc_to_text: .* uses "land"/,
  ]);
});

test('what follows from an error is not told', async () => {
  for (const [change, expected] of [
    // Splits, columns and rows of a dataset that is not known.
    [(text: string) => text.replace('dataset: reviews', 'dataset: revews'), [/did you mean "reviews"/]],
    [(text: string) => text.replace('path: data/reviews.jsonl', 'path: 7'), [/datasets\.reviews\.path is 7/]],
    [(text: string) => text.replace('training_split: train[:8]', 'training_split: 8'), [/training_split is 8/]],
    [(text: string) => text.replace('version: 1', 'version: 3'), [/version is 3/]],
    [(text: string) => text.replace(/model:\n.*\n/, ''), [/model is missing|missing key "model"|needs.*model/]],
  ] as const)
    assertSaid(await errors(change(good)), expected);
});

test('a file without any sense, and one whose YAML is broken, is told as before', async () => {
  for (const text of ['tasks: 3\n', '[1, 2]\n', 'version: 1\nmodel: {{{\n', '']) {
    const { problems, experiment } = await checkExperiment(file, text, 'quick');
    assert.equal(experiment, null);
    assert.ok(
      problems.some(({ severity }) => severity === 'error'),
      text,
    );
  }
});
