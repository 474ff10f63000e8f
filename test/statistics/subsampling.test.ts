import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { studentQuantile } from '../../server/src/statistics/student.ts';
import { enlarged, leftOut, subsample, symmetricInterval, together } from '../../server/src/statistics/subsampling.ts';

const near = (a: number, b: number, within = 1e-12) => assert.ok(Math.abs(a - b) <= within, `${a}, expected ${b}`);
const variance = (v: Float64Array) => v.reduce((sum, x) => sum + x * x, 0) / v.length;

test('a fifth is left out, at least one, and nothing of a single sample', () => {
  assert.deepEqual([1, 2, 4, 7, 8, 10, 60].map(leftOut), [0, 1, 1, 1, 2, 2, 12]);
  const weights = subsample(10, new Random(1));
  assert.deepEqual([...weights].sort(), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual([...subsample(1, new Random(1))], [1]);
});

test('the deviations of a sum of independent samples have its variance, n s²', () => {
  const random = new Random(3);
  const values = Float64Array.from({ length: 20 }, () => 1 + random.normal());
  const sums = Float64Array.from({ length: 20000 }, () =>
    subsample(20, random).reduce((sum, w, i) => sum + w * values[i], 0),
  );
  const mean = values.reduce((a, b) => a + b) / 20;
  const expected = (20 * values.reduce((sum, v) => sum + (v - mean) ** 2, 0)) / 19;
  const found = variance(enlarged(sums, 20, 20 / 16));
  assert.ok(Math.abs(found / expected - 1) < 0.03, `${found}, n s² = ${expected}`);
  assert.deepEqual([...enlarged([3, 4], 1, 1)], [0, 0]);
});

test('two kinds add up, widened as Student does for as many samples', () => {
  const a = Float64Array.of(1, -1, 1, -1);
  const b = Float64Array.of(2, 2, -2, -2);
  const degrees = 20 ** 2 / (4 ** 2 / 4 + 16 ** 2 / 9);
  const widened = studentQuantile(0.9, degrees) / studentQuantile(0.9, 1e9);
  together(
    [
      { deviations: a, count: 5 },
      { deviations: b, count: 10 },
    ],
    0.9,
  ).forEach((x, i) => near(x, widened * (a[i] + b[i])));
  const nothing = { deviations: new Float64Array(2), count: 1 };
  assert.deepEqual([...together([nothing, nothing], 0.9)], [0, 0]);
});

test('the interval holds its value and 90 % of the deviations', () => {
  const deviations = Float64Array.from({ length: 101 }, (_, i) => (i % 2 === 0 ? i : -i));
  assert.deepEqual(symmetricInterval(7, deviations, 0.9), [7 - 90, 7 + 90]);
});
