/** The delete-a-group jackknife: of a mean it is Student's interval of the groups' means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jackknifeInterval } from '../../server/src/statistics/jackknife.ts';

test("of a mean with one unit a group: Student's interval, mean ± t s / √n", () => {
  const values = [2, 3, 7, 8];
  const sum = values.reduce((a, b) => a + b);
  const without = values.map((value) => (sum - value) / 3);
  // mean 5, s² = 26 / 3, t of 3 degrees: 2.353363 at 0.9, 3.182446 at 0.95 (tables)
  for (const [level, t] of [
    [0.9, 2.353363],
    [0.95, 3.182446],
  ]) {
    const reach = t * Math.sqrt(26 / 3 / 4);
    const [low, high] = jackknifeInterval(5, without, level)!;
    assert.ok(Math.abs(low - (5 - reach)) < 1e-5, `${low}`);
    assert.ok(Math.abs(high - (5 + reach)) < 1e-5, `${high}`);
  }
});

test('around the value that is given, and nothing of fewer than two groups', () => {
  assert.deepEqual(jackknifeInterval(3, [1, 1, 1], 0.9), [3, 3]);
  const [low, high] = jackknifeInterval(0, [1, -1], 0.9)!;
  // One degree of freedom: t = tan(0.45 π) = 6.313752, squares 2, halved.
  assert.ok(Math.abs(high - 6.313752) < 1e-5 && low === -high);
  assert.equal(jackknifeInterval(1, [1], 0.9), null);
  assert.equal(jackknifeInterval(1, [], 0.9), null);
});
