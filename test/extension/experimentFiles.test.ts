import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { dataEndings, isDataFile } from '../../extension/src/dataFiles.ts';
import { DEMO_EXPERIMENT, DEMO_HUB_ID, demoExperiment, isDemoModel } from '../../extension/src/demoFiles.ts';
import { experimentName, isExperimentFile, isInRun } from '../../extension/src/experimentFiles.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { dataEndings as readEndings } from '../../server/src/data/formats.ts';

test('which files are experiments', () => {
  for (const name of ['/w/a.layerif.yaml', '/w/layerif.yaml', 'C:\\w\\layerif.yaml', 'layerif.yaml'])
    assert.equal(isExperimentFile(name), true, name);
  for (const name of [
    '/w/.layerif.yaml',
    '/w/mylayerif.yaml',
    '/w/a.yaml',
    '/w/layerif.yaml.bak',
    '/layerif.yaml/x.txt',
  ])
    assert.equal(isExperimentFile(name), false, name);
});

test('names are those of the result files', () => {
  assert.equal(experimentName('/w/reviews.layerif.yaml'), 'reviews');
  assert.equal(experimentName('/w/project/layerif.yaml'), 'project');
  assert.equal(experimentName('C:\\w\\project\\layerif.yaml'), 'project');
  assert.equal(experimentName('layerif.yaml'), 'layerif');
});

test('what runs write lies in folders that are named by time and hash', () => {
  assert.equal(isInRun('/w/runs/tiny/20261130T003015Z-b01ec9/pruned/model.safetensors'), true);
  assert.equal(isInRun('/w/runs/tiny/20261130/model.safetensors'), false);
});

test('data files are told by the endings that the server reads, and not what describes a model, a package or a run', () => {
  assert.deepEqual([...dataEndings].sort(), [...readEndings].sort());
  for (const name of ['/w/a.jsonl', '/w/a.csv.gz', '/w/a.JSON', '/w/x.arrow', '/w/notes.txt', '/w/a.json.zst'])
    assert.equal(isDataFile(name), true, name);
  for (const name of [
    '/w/model/config.json',
    '/w/model/tokenizer_config.json',
    '/w/model/model.safetensors.index.json',
    '/w/package.json',
    '/w/tsconfig.base.json',
    '/w/requirements-dev.txt',
    '/w/.eslintrc.json',
    '/w/a.layerif-result.json',
    '/w/a.py',
  ])
    assert.equal(isDataFile(name), false, name);
});

test('the demo is the example with a model that can be had; the workspace\u2019s own copy of it is told by its name', () => {
  const text = readFileSync(path.join(import.meta.dirname, '../../examples', DEMO_EXPERIMENT), 'utf8');
  const { experiment, problems } = parseExperiment(demoExperiment(text, DEMO_HUB_ID), '/w/demo.layerif.yaml');
  assert.deepEqual(problems, []);
  assert.equal(experiment!.model.path, DEMO_HUB_ID);
  assert.deepEqual(
    Object.values(experiment!.datasets).map(({ path: file }) => file),
    ['data/sentiment.jsonl', 'data/capitals.csv'],
  );
  assert.equal(isDemoModel('/w/models/SmolLM2-135M-Instruct.Q4_1.gguf'), true);
  assert.equal(isDemoModel('/w/models/SmolLM2-1.7B-Instruct'), false);
  assert.throws(() => demoExperiment('model: x', 'y'), /names no model/);
});
