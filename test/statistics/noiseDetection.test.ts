import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noiseDetection } from '../../server/src/statistics/noiseDetection.ts';
import { rankStability } from '../../server/src/statistics/rankStability.ts';

test('the rate is the share of changed samples among the lowest', () => {
  const influence = [5, -3, 2, -1, 0, 4, 1, 3, -2, 6];
  const noisy = [false, true, false, true, false, false, false, true, false, false];
  // Lowest three: samples 1, 8, 3.
  const found = noiseDetection(influence, noisy, 0.3);
  assert.deepEqual(
    { ...found, auc: undefined },
    { lowest: 3, found: 2, rate: 2 / 3, chance: 0.3, recall: 2 / 3, auc: undefined },
  );
  // Pairs (changed, unchanged) with the changed one lower: 7 + 6 + 3 of 21.
  assert.ok(Math.abs(found.auc! - 16 / 21) < 1e-12, `${found.auc}`);
  assert.equal(noiseDetection(influence, noisy, 1).rate, 0.3);
  assert.equal(
    noiseDetection(
      influence,
      noisy.map(() => false),
    ).auc,
    null,
  );
  assert.throws(() => noiseDetection(influence, noisy, 0), /share of 0/);
});

test('a perfect order is found, a reversed one is not', () => {
  const influence = Array.from({ length: 20 }, (_, i) => i);
  const low = influence.map((i) => i < 6);
  const high = influence.map((i) => i >= 14);
  assert.deepEqual([noiseDetection(influence, low).rate, noiseDetection(influence, low).auc], [1, 1]);
  assert.deepEqual([noiseDetection(influence, high).rate, noiseDetection(influence, high).auc], [0, 0]);
});

test('stability along a series: with the reference and with the next step; a missing step leaves its neighbours', () => {
  const steps = rankStability([[1, 2, 3], null, [3, 2, 1], [3, 1, 2]], 0);
  assert.deepEqual(steps[0], { toReference: { spearman: 1, kendall: 1 }, toNext: null });
  assert.deepEqual(steps[1], { toReference: null, toNext: null });
  assert.equal(steps[2].toReference?.spearman, -1);
  assert.equal(steps[2].toNext?.spearman, 0.5);
  assert.equal(steps[3].toNext, null);
});
