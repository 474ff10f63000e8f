/**
 * The last words of a run: what other estimators and dampings say, against `compare` and `sweepDamping` and by hand.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { onlyScales, sweepSentences } from '../../protocol/dampingSentences.ts';
import { agreementSentences, highestLayersSentence } from '../../protocol/readability.ts';
import type { ResultLayer } from '../../protocol/result.ts';
import type { DampingSweep } from '../../protocol/trust.ts';
import { trustLines } from '../../server/src/cli/trust.ts';
import { modelStamp } from '../../server/src/run/files/modelStamp.ts';
import { agreementsOf } from '../../server/src/run/influence/agreement.ts';
import { compareRuns } from '../../server/src/run/influence/compare.ts';
import { score, tinyWorkspace } from './workspace.ts';

test('agreement of estimators equals that of compare, and the report says it', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const { resultFile, result } = await score(experiment);
  const [task] = result.tasks;
  const found = await agreementsOf(resultFile, result, task);
  assert.deepEqual(found.left, []);
  assert.deepEqual(
    found.others.map(({ estimator }) => estimator),
    ['fisher', 'dot'],
  );
  for (const { estimator, spearman } of found.others) {
    const { pairs } = await compareRuns([resultFile], { tasks: [task.task], estimators: ['datainf', estimator] });
    assert.equal(spearman, pairs[0].spearman.value);
  }
  assert.equal(found.sweep?.steps.length, 3);
  const lines = trustLines(result, task, found);
  assert.ok(lines.some((line) => line.includes('The layer scores of datainf have a Spearman correlation of')));
});

test('a damping factor that only scales is no evidence; one that moves layers is told as before', () => {
  const sweep = (at: (factor: number) => number[]): DampingSweep => ({
    task: 't',
    estimator: 'datainf',
    aggregation: 'positive',
    rule: 'mean_square',
    factor: 0.1,
    layers: [0, 1, 2].map((index) => ({ index, name: `l${index}` })),
    steps: [0.001, 0.1, 10].map((factor) => ({
      factor,
      scores: at(factor),
      error: null,
      toDefault: { spearman: 1, kendall: 1 },
      toNext: null,
    })),
  });
  assert.deepEqual(sweepSentences(sweep((factor) => [3, 2, 1].map((score) => score / factor))), [
    'From factor 0.001 to 10 damping only scales the scores, all layers alike: that the order stays is no evidence for it.',
  ]);
  const [moved, ...others] = sweepSentences(sweep((factor) => [3, 2 + factor / 20, 1]));
  assert.match(moved, /hardly moves from factor 0\.001 to 10/);
  assert.match(
    others.at(-1)!,
    /^Of this, from factor 0\.001 to 0\.1 damping only scales .*: that the order stays there is no evidence\.$/,
  );
  assert.ok(!onlyScales([1, 2], [2, 4.2]));
  assert.ok(onlyScales([1, 2], [2, 4.01]));
  assert.ok(!onlyScales([1, 2], [-1, -2]));
  assert.ok(!onlyScales([1, 2], null));
});

test('sentences on agreement and on the highest layers', () => {
  assert.match(
    agreementSentences('datainf', [
      { estimator: 'fisher', spearman: 0.23 },
      { estimator: 'dot', spearman: 0.95 },
    ])[0],
    /0\.23 with fisher, 0\.95 with dot.*they disagree on the order/,
  );
  assert.match(agreementSentences('datainf', [{ estimator: 'dot', spearman: 0.95 }])[0], /hardly depends/);
  assert.deepEqual(agreementSentences('datainf', [{ estimator: 'dot', spearman: null }]), []);
  const layers = [4, 1, 3, 0, 0, 0].map((value, index) => ({ index, score: value })) as ResultLayer[];
  assert.equal(
    highestLayersSentence(layers),
    'Highest: layers 0 (50.0\u00a0%), 2 (37.5\u00a0%); an even share would be 16.7\u00a0%.',
  );
  assert.equal(highestLayersSentence(layers.map((layer) => ({ ...layer, score: 0 }))), null);
});

test('a single file behind a link has no config.json beside it', (t) => {
  const { folder } = tinyWorkspace(t);
  const real = path.join(folder, 'real');
  fs.mkdirSync(real);
  fs.writeFileSync(path.join(real, 'm.gguf'), 'GGUF');
  fs.symlinkSync(real, path.join(folder, 'link'), 'junction');
  const stamp = modelStamp({ path: path.join(folder, 'link', 'm.gguf'), files: [path.join(real, 'm.gguf')] });
  assert.match(stamp, /^[^\n]*m\.gguf 4 [^\n]*$/);
});
