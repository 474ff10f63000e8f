/**
 * From scores to decisions through the server: rescored views, sweeps, comparisons, and pruning with evaluation, on a
 * tiny model.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { RescoreAnswer } from '../../protocol/lsp.ts';
import type { PruningComparison } from '../../protocol/pruning.ts';
import type { Result } from '../../protocol/result.ts';
import { requests } from '../../protocol/requests.ts';
import type { RequestRow } from '../../protocol/requests.ts';
import { defaultSettings } from '../../server/src/lsp/jobs.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';
import { Client } from './client.ts';

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lsp-decisions-')));
let client: Client;
let uri: string;
let resultFile: string;
let result: Result;

before(async () => {
  client = await Client.start(root, {
    settings: { device: 'cpu', server: { ...defaultSettings.server, threads: 1 } },
    env: { XDG_CACHE_HOME: path.join(root, 'cache') },
  });
  const { experiment } = writeTinyWorkspace(path.join(root, 'work'), { layers: 3, train: 8 });
  uri = pathToFileURL(experiment).href;
  const answer = await ask(requests.score, { uri });
  assert.equal(answer.error, null);
  resultFile = answer.resultFile!;
  result = JSON.parse(fs.readFileSync(resultFile, 'utf8')) as Result;
});
after(async () => {
  await client.stop();
  fs.rmSync(root, { recursive: true });
});

const ask = <Params, Answer>(row: RequestRow<Params, Answer>, params: Params) => client.ask(row, params);
const scores = (tasks: RescoreAnswer['tasks'] | Result['tasks']) =>
  tasks!.map(({ layers }) => layers.map(({ score }) => score));

test('rescore: the run\u2019s own settings give its own scores, gradient dot others', async () => {
  const own = await ask(requests.rescore, { resultFile });
  assert.equal(own.error, null);
  for (const [t, layers] of scores(own.tasks).entries())
    for (const [l, score] of layers.entries()) {
      const written = result.tasks[t].layers[l].score;
      assert.ok(Math.abs(score - written) <= 1e-9 * Math.abs(written), `${score} and ${written}`);
    }
  const dot = await ask(requests.rescore, { resultFile, estimator: 'dot' });
  // With dot a sample's influence is a sum of inner products, far from DataInf's.
  assert.notDeepEqual(scores(dot.tasks), scores(own.tasks));
  const sum = await ask(requests.rescore, { resultFile, aggregation: 'sum' });
  for (const [t, { influence }] of sum.tasks!.entries())
    influence.forEach((row, l) => {
      const total = row.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum.tasks![t].layers[l].score - total) <= 1e-9 * row.reduce((a, b) => a + Math.abs(b), 0));
    });
});

test('rescore: what the run did not store is named', async () => {
  const { tasks, error } = await ask(requests.rescore, { resultFile, estimator: 'ekfac' });
  assert.equal(tasks, null);
  assert.match(error!.message, /was not scored with estimator ekfac/);
});

test('sweep: every task, the run\u2019s own factor agrees with itself', async () => {
  const { tasks } = await ask(requests.sweepDamping, { resultFile });
  assert.deepEqual(
    tasks!.map(({ task }) => task),
    ['sentiment', 'capital'],
  );
  for (const { steps, factor } of tasks!) {
    assert.ok(steps.length >= 7);
    assert.equal(steps.find((step) => step.factor === factor)!.toDefault!.spearman, 1);
  }
});

test('compare: the two tasks of a run; one file alone that has one task is refused', async () => {
  const { comparison } = await ask(requests.compare, { files: [resultFile] });
  assert.equal(comparison!.series.length, 2);
  assert.deepEqual([comparison!.matrix[0][0], comparison!.matrix[0][1]], [1, comparison!.pairs[0].spearman.value]);
  const { error } = await ask(requests.compare, { files: [`${resultFile}.gone`] });
  assert.match(error!.message, /cannot read the result/);
});

test('other estimators: the run\u2019s own beside those that need Grams alone, as compare has them', async () => {
  const { tasks, error } = await ask(requests.compareEstimators, { resultFile });
  assert.equal(error, null);
  assert.deepEqual(
    tasks!.map(({ task, left, comparison }) => [task, left, comparison!.series.map(({ estimator }) => estimator)]),
    ['sentiment', 'capital'].map((task) => [task, [], ['datainf', 'fisher', 'dot']]),
  );
  for (const { spearman } of tasks!.flatMap(({ comparison }) => comparison!.pairs)) {
    assert.ok(spearman.value !== null && Math.abs(spearman.value) <= 1);
    assert.ok(spearman.interval![0] <= spearman.value && spearman.value <= spearman.interval![1]);
  }
});

test('prune and compare: estimate, then a file with the model as it is first', async () => {
  const params = { uri, maps: ['uniform', 'reversed'], methods: ['magnitude'], sparsities: [0.5] };
  const { estimate } = await ask(requests.estimatePruning, params);
  assert.equal(estimate!.prunings, 2);
  assert.ok(estimate!.documents > 0 && estimate!.evaluationTokens > 0 && estimate!.seconds > 0);
  const { comparisonFile, error } = await ask(requests.pruneAndCompare, params);
  assert.equal(error, null);
  const comparison = JSON.parse(fs.readFileSync(comparisonFile!, 'utf8')) as PruningComparison;
  assert.equal(comparison.status, 'complete');
  assert.deepEqual(
    comparison.prunings.map(({ method, map }) => [method, map]),
    [
      ['dense', 'none'],
      ['magnitude', 'uniform'],
      ['magnitude', 'reversed'],
    ],
  );
});

test('prune: a folder with half of its weights zero; evaluate: a file', async () => {
  const output = path.join(root, 'pruned');
  const pruned = await ask(requests.prune, {
    uri,
    method: 'magnitude',
    sparsity: 0.5,
    map: 'uniform',
    output,
  });
  assert.equal(pruned.error, null);
  assert.equal(pruned.output, output);
  assert.ok(Math.abs(pruned.report!.achieved - 0.5) < 0.02, String(pruned.report!.achieved));
  const evaluated = await ask(requests.evaluate, { uri, model: output, tasks: ['sentiment'] });
  assert.equal(evaluated.error, null);
  assert.match(evaluated.evaluationFile!, /tiny\.layerif-evaluation\.json$/);
});
