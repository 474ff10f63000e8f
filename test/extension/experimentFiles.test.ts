import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataEndings, isDataFile } from '../../extension/src/dataFiles.ts';
import { experimentName, isExperimentFile, isInRun } from '../../extension/src/experimentFiles.ts';
import { dataEndings as readEndings } from '../../server/src/data/formats.ts';

test('which files are experiments', () => {
  for (const path of ['/w/a.layerif.yaml', '/w/layerif.yaml', 'C:\\w\\layerif.yaml', 'layerif.yaml'])
    assert.equal(isExperimentFile(path), true, path);
  for (const path of [
    '/w/.layerif.yaml',
    '/w/mylayerif.yaml',
    '/w/a.yaml',
    '/w/layerif.yaml.bak',
    '/layerif.yaml/x.txt',
  ])
    assert.equal(isExperimentFile(path), false, path);
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
  for (const path of ['/w/a.jsonl', '/w/a.csv.gz', '/w/a.JSON', '/w/x.arrow', '/w/notes.txt', '/w/a.json.zst'])
    assert.equal(isDataFile(path), true, path);
  for (const path of [
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
    assert.equal(isDataFile(path), false, path);
});
