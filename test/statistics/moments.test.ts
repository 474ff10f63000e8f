/** Mean and variance by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mean, variance } from '../../server/src/statistics/moments.ts';

test('mean and variance of a sample', () => {
  assert.equal(mean([2, 3, 7, 8]), 5);
  assert.equal(mean(Float64Array.of(1, 2)), 1.5);
  assert.ok(Number.isNaN(mean([])));
  // Squares about the mean 9 + 4 + 4 + 9 over three.
  assert.equal(variance([2, 3, 7, 8]), 26 / 3);
  assert.equal(variance([4, 4]), 0);
  assert.ok(Number.isNaN(variance([4])));
});
