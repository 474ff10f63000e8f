import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differenceWords, settingDifferences } from '../../protocol/settings.ts';
import type { Result } from '../../protocol/result.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const run = (change: (result: Result) => void = () => undefined): Result => {
  const result = sampleResult({ layers: 3, tasks: ['sentiment', 'capitals'], train: 48, validation: 16 });
  result.provenance.dataSha256 = { 'data/sentiment.jsonl': 'a'.repeat(64) };
  change(result);
  return result;
};
const withTrain = (result: Result, rows: number, tasks = result.tasks.map(({ task }) => task)) => {
  for (const task of result.experiment.tasks.filter((one) => tasks.includes(one.task)))
    task.training_split = `train[:${rows}]`;
  for (const task of result.tasks.filter((one) => tasks.includes(one.task))) task.train.samples = rows;
};

test('a run is described by what differs from the run before', () => {
  const rows: [(result: Result) => void, string][] = [
    [() => undefined, ''],
    [(result) => (result.experiment.score.estimator = 'fisher'), 'estimator fisher'],
    [(result) => withTrain(result, 300), 'train 300'],
    [(result) => withTrain(result, 300, ['capitals']), 'capitals train 300'],
    [(result) => (result.experiment.tasks[0].training_split = 'train[48:96]'), 'sentiment training_split train[48:96]'],
    [(result) => (result.experiment.model.max_length = 64), 'max_length 64'],
    [(result) => (result.experiment.model.adapter = './adapters/a'), 'adapter ./adapters/a'],
    [(result) => (result.model.sha256 = 'f'.repeat(64)), 'other weights'],
    [
      (result) => (result.provenance.dataSha256 = { 'data/sentiment.jsonl': 'b'.repeat(64) }),
      'other rows in data/sentiment.jsonl',
    ],
    [(result) => (result.experiment.score.modules = ['mlp.*']), 'modules ["mlp.*"]'],
    [(result) => (result.tasks = result.tasks.slice(1)), 'tasks capitals'],
    // What changes no score is no difference.
    [(result) => (result.experiment.description = 'other'), ''],
    [(result) => (result.experiment.output_dir = 'elsewhere'), ''],
    [(result) => (result.experiment.prune = { method: 'wanda' } as Result['experiment']['prune']), ''],
  ];
  for (const [change, words] of rows) assert.equal(differenceWords(run(), run(change)), words);
});

test('a setting that only the run before had is named', () => {
  const before = run((result) => (result.experiment.model.adapter = './adapters/a'));
  assert.equal(differenceWords(before, run()), 'no adapter');
});

test('several runs are compared setting by setting', () => {
  const fisher = run((result) => (result.experiment.score.estimator = 'fisher'));
  const short = run((result) => withTrain(result, 12, ['capitals']));
  assert.deepEqual(settingDifferences([run(), fisher, short]), [
    { setting: 'score.estimator', values: ['datainf', 'fisher', 'datainf'] },
    { setting: 'tasks.capitals.training_split', values: ['train[:48]', 'train[:48]', 'train[:12]'] },
    { setting: 'tasks.capitals.train samples', values: ['48', '48', '12'] },
  ]);
  assert.deepEqual(settingDifferences([run(), run()]), []);
});

test('a task that only some runs scored is one difference', () => {
  const capitals = run((result) => {
    result.tasks = result.tasks.slice(1);
    withTrain(result, 12);
  });
  assert.deepEqual(settingDifferences([run(), capitals]), [
    { setting: 'tasks.sentiment', values: ['scored', 'not scored'] },
    { setting: 'tasks.capitals.training_split', values: ['train[:48]', 'train[:12]'] },
    { setting: 'tasks.capitals.train samples', values: ['48', '12'] },
  ]);
});
