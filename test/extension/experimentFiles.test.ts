import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { experimentName, isExperimentFile } from '../../extension/src/experimentFiles.ts';
import type { Experiment } from '../../protocol/experiment.ts';
import { experimentTemplate } from '../../extension/src/experimentTemplate.ts';

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

test('the template for new files is a whole experiment once its placeholders hold their values', () => {
  const text = experimentTemplate
    .replace(/\$\{\d+:((?:\\.|[^}\\])*)\}/g, (_, value: string) => value)
    .replace(/\\([\\$}])/g, '$1')
    .replace('$0', '');
  const experiment = parse(text) as Pick<Experiment, 'version' | 'datasets' | 'tasks'>;
  assert.equal(experiment.version, 1);
  assert.equal(experiment.tasks[0].dataset, Object.keys(experiment.datasets)[0]);
  assert.equal(experiment.tasks[0].doc_to_text, 'Review: {{text}}\nSentiment:');
  assert.equal(experiment.tasks[0].doc_to_target, 'label');
});
