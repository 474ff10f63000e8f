/** Wilson's interval and normal quantiles against test/reference/statistics/wilson.py (scipy). */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { normalQuantile, wilsonInterval } from '../../server/src/statistics/wilson.ts';

const scipy = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/statistics/wilson.json'), 'utf8'),
) as {
  intervals: [hits: number, trials: number, level: number, low: number, high: number][];
  quantiles: [number, number][];
};

test("Wilson's interval agrees with scipy and holds the share", () => {
  for (const [hits, trials, level, low, high] of scipy.intervals) {
    const found = wilsonInterval(hits, trials, level)!;
    for (const [i, value] of [low, high].entries())
      assert.ok(Math.abs(found[i] - value) < 1e-12, `${hits} of ${trials} at ${level}: ${found[i]}, scipy ${value}`);
    assert.ok(found[0] <= hits / trials && hits / trials <= found[1]);
  }
  assert.equal(wilsonInterval(0, 0), null);
  assert.throws(() => wilsonInterval(3, 2), /3 hits in 2 trials/);
  for (const level of [0, 1, 1.5]) assert.throws(() => wilsonInterval(1, 2, level), /at level/);
  assert.deepEqual(wilsonInterval(5, 20), wilsonInterval(5, 20, 0.95));
});

test('normal quantiles agree with scipy.stats.norm.ppf', () => {
  for (const [p, z] of scipy.quantiles)
    assert.ok(Math.abs(normalQuantile(p) - z) < 1e-12 * Math.max(1, Math.abs(z)), `${p}: ${normalQuantile(p)}`);
});
