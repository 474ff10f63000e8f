/** Another estimator from the stored Grams gives what a run with that estimator gives. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { Result, ResultTask } from '../../protocol/result.ts';
import { rescore } from '../../server/src/run/influence/rescore.ts';
import { score, tinyWorkspace } from './workspace.ts';

/** What a rescoring computes: without intervals, which a run adds. */
function scores(tasks: ResultTask[]): unknown {
  const copies = structuredClone(tasks);
  for (const task of copies) {
    delete task.uncertainty;
    for (const layer of task.layers) {
      for (const key of ['interval', 'rankInterval', 'unstable'] as const) delete layer[key];
    }
  }
  return copies;
}

test('nothing chosen: the numbers of the run; another estimator: those of a run with it', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  const first = await score(experiment);
  assert.deepEqual(scores((await rescore(first.resultFile)).tasks), scores(first.result.tasks));

  let written = 'datainf';
  for (const estimator of ['fisher', 'dot', 'cosine', 'relatif', 'lissa'] as const) {
    edit(`estimator: ${written}`, `estimator: ${estimator}`);
    written = estimator;
    const { result } = await score(experiment, { tasks: ['sentiment'] });
    const rescored = await rescore(first.resultFile, { estimator, tasks: ['sentiment'] });
    assert.equal(rescored.score.estimator, estimator);
    assert.deepEqual(scores(rescored.tasks), scores(result.tasks));
    assert.notDeepEqual(rescored.tasks[0].influence, first.result.tasks[0].influence);
  }
});

test('damping, aggregation, pairs and the form of relatif can be chosen', async (t) => {
  const { resultFile, result } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  const factor = await rescore(resultFile, { damping: { factor: 10 } });
  const ratio = factor.tasks[0].damping[0][0]! / result.tasks[0].damping[0][0]!;
  assert.ok(Math.abs(ratio - 100) < 1e-9, `${ratio}`);
  assert.deepEqual(factor.score.damping, { rule: 'mean_square', factor: 10 });
  const top = await rescore(resultFile, { aggregation: 'top25' });
  top.tasks[0].layers.forEach((layer) => assert.equal(layer.score, layer.top25));
  const pairs = await rescore(resultFile, { per: 'pair' });
  pairs.tasks[0].layers.forEach((layer, row) => {
    const own = result.tasks[0].layers[row];
    assert.ok(layer.positive >= own.positive * (1 - 1e-12), 'pairs do not cancel each other');
    assert.ok(Math.abs(layer.sum - own.sum) < 1e-9 * Math.abs(own.positive));
  });
  const [l, theta] = await Promise.all(
    (['l', 'theta'] as const).map((relatif) => rescore(resultFile, { estimator: 'relatif', relatif })),
  );
  assert.notDeepEqual(l.tasks[0].layers, theta.tasks[0].layers);
});

test('what cannot be rescored is refused with a way out', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  await assert.rejects(
    rescore(resultFile, { tasks: ['sentimant'] }),
    /has no task "sentimant"; its tasks are sentiment/,
  );
  await assert.rejects(rescore(resultFile, { estimator: 'ekfac' }), /score again with score\.estimator: ekfac/);
  await assert.rejects(rescore(resultFile, { estimator: 'tracin' }), /score again with score\.estimator: tracin/);
  await assert.rejects(rescore(resultFile, { damping: { factor: 0 } }), /damping factor 0 is not allowed/);
  const result = JSON.parse(fs.readFileSync(resultFile, 'utf8')) as Result;
  fs.writeFileSync(resultFile, JSON.stringify({ ...result, status: 'partial' }));
  await assert.rejects(rescore(resultFile), /is partial: run layerif score again/);
  fs.writeFileSync(resultFile, JSON.stringify(result));
  fs.rmSync(resultFile.replace(/[^/\\]+$/, 'grams.safetensors'));
  await assert.rejects(rescore(resultFile), /grams\.safetensors is missing/);
});
