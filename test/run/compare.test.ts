import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Result } from '../../protocol/result.ts';
import { comparisonReport } from '../../server/src/cli/compare.ts';
import { dampingReport } from '../../server/src/cli/damping.ts';
import { atDepths, compareRuns } from '../../server/src/run/influence/compare.ts';
import { rescore } from '../../server/src/run/influence/rescore.ts';
import { sweepDamping } from '../../server/src/run/influence/sweepDamping.ts';
import { kendall } from '../../server/src/statistics/kendall.ts';
import { spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { score, tinyWorkspace } from './workspace.ts';

test('estimators of one run: values, intervals, exact p, samples', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  const estimators = ['datainf', 'dot', 'fisher'] as const;
  const comparison = await compareRuns([resultFile], { estimators });
  assert.deepEqual(
    comparison.series.map(({ label }) => label),
    [...estimators],
  );
  assert.equal(comparison.pairs.length, 3);
  const scores = await Promise.all(
    estimators.map(async (estimator) => (await rescore(resultFile, { estimator })).tasks[0].layers.map((l) => l.score)),
  );
  for (const { a, b, ...pair } of comparison.pairs) {
    assert.deepEqual(comparison.series[a].scores, scores[a]);
    assert.equal(pair.spearman.value, spearman(scores[a], scores[b]));
    assert.equal(pair.kendall.value, kendall(scores[a], scores[b]));
    assert.equal(comparison.matrix[a][b], pair.spearman.value);
    assert.equal(comparison.matrix[b][a], pair.spearman.value);
    // Three layers: 6 orders.
    assert.ok(
      [2 / 6, 4 / 6, 1].some((p) => Math.abs(p - pair.spearman.p!) < 1e-12),
      `${pair.spearman.p}`,
    );
    for (const { value, interval } of [pair.spearman, pair.kendall]) {
      assert.ok(-1 <= interval![0] && interval![0] <= value! && value! <= interval![1] && interval![1] <= 1);
    }
    assert.equal(pair.topK.k, 1);
    assert.equal(pair.topK.chance, 1 / 3);
    for (const value of Object.values(pair.samples!)) assert.ok(value! >= -1 && value! <= 1);
  }
  assert.ok(comparison.series.every(({ replicates }) => replicates === 200));
  const text = comparisonReport(comparison);
  assert.match(text, /A {2}datainf\n {2}B {2}dot\n {2}C {2}fisher/);
  assert.match(text, /Spearman of every pair/);
  assert.match(text, /p beside Spearman and Kendall: .*\(two-sided\)/);
  assert.match(text, /p beside top 1: .*\(one-sided\)/);
});

test('a run beside itself agrees wholly; its tasks are told apart by name', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment);
  const same = await compareRuns([resultFile, resultFile], { tasks: ['capital'] });
  const [pair] = same.pairs;
  assert.deepEqual([pair.spearman.value, pair.spearman.interval, pair.topK.overlap], [1, [1, 1], 1]);
  assert.deepEqual(pair.samples, { mean: 1, rank: 1, vote: 1 });
  const tasks = await compareRuns([resultFile]);
  assert.deepEqual(
    tasks.series.map(({ label }) => label),
    ['sentiment', 'capital'],
  );
  assert.equal(tasks.pairs[0].samples, null, 'other training samples');
});

test('different layers are refused, or compared by relative depth when asked', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  const all = await score(experiment, { tasks: ['sentiment'] });
  edit('score:\n', 'score:\n  layers: [0, 2]\n');
  const some = await score(experiment, { tasks: ['sentiment'] });
  const files = [all.resultFile, some.resultFile];
  await assert.rejects(
    compareRuns(files),
    /layers cannot be compared one by one: .* has 3 of 3 layers .* has 2 of 3 .*--by-depth/,
  );
  const comparison = await compareRuns(files, { byDepth: true });
  assert.equal(comparison.layers, 2);
  assert.deepEqual(comparison.settings, [{ setting: 'score.layers', values: ['all', '[0,2]'] }]);
  assert.deepEqual(
    comparison.runs,
    files.map((file) => path.basename(path.dirname(file))),
  );
  assert.match(comparisonReport(comparison), /Settings that differ\n.*\n.*score\.layers {2}all +\[0,2\]\n/);
  assert.deepEqual([...atDepths([1, 2, 4], 2)], [1, 4]);
  assert.deepEqual([...atDepths([1, 2, 4, 8], 7)], [1, 1.5, 2, 3, 4, 6, 8]);
});

test('without Grams the scores are compared without intervals, and it is said', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment);
  fs.rmSync(path.join(path.dirname(resultFile), 'grams.safetensors'));
  const comparison = await compareRuns([resultFile]);
  assert.equal(comparison.pairs[0].spearman.interval, null);
  assert.match(comparison.notes.join(), /No intervals for .*grams\.safetensors is missing/);
  assert.match(comparisonReport(comparison), /\(without intervals\)/);
  await assert.rejects(compareRuns([resultFile], { estimators: ['dot'] }), /grams\.safetensors is missing/);
});

test('what cannot be compared is refused with a way out', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  await assert.rejects(compareRuns([resultFile]), /nothing to compare: 1 .* --estimator datainf,dot/);
  await assert.rejects(compareRuns([resultFile], { tasks: ['x'] }), /has no task "x"; its tasks are sentiment/);
  await assert.rejects(
    compareRuns([resultFile, resultFile], { topK: 4 }),
    /top-k 4 is not allowed: use a whole number from 1 to 3/,
  );
  const result = JSON.parse(fs.readFileSync(resultFile, 'utf8')) as Result;
  fs.writeFileSync(resultFile, JSON.stringify({ ...result, status: 'partial' }));
  await assert.rejects(compareRuns([resultFile, resultFile]), /is partial/);
});

test('the report of a sweep', async (t) => {
  const { resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  const text = dampingReport(await sweepDamping(resultFile, 'sentiment'));
  assert.match(text, /^sentiment: datainf, damping rule mean_square, 3 layers\n/);
  assert.match(text, /0\.1 \(run\) +1\.00 +1\.00/);
  assert.match(
    text,
    /^The order of layers hardly moves \(Spearman at least 0\.9\) while the factor lies between 0\.001 and 100/m,
  );
  assert.match(text, /damping only scales the scores, all layers alike/);
});
