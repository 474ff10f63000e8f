import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tracin } from '../../server/src/estimators/tracin.ts';
import { gramsOf, randomGradients } from './primal.ts';

const options = { damping: { rule: 'mean_square', factor: 0.1 }, where: 'layer 0 q' } as const;
const grams = gramsOf(randomGradients(2, 1, 3, 1));

test('tracin: learning rates times products, summed over checkpoints', () => {
  const checkpoints = { learningRates: Float64Array.of(0.5, 2), C: Float64Array.of(1, 2, 10, -20) };
  const { B, damping } = tracin.influence({ ...grams, checkpoints }, options);
  assert.deepEqual([...B], [0.5 + 20, 1 - 40]);
  assert.equal(damping, null);
});

test('tracin: without checkpoints, with a wrong number of products or NaN it says what is wrong', () => {
  const of = (learningRates: number[], C: number[]) =>
    tracin.influence(
      { ...grams, checkpoints: { learningRates: Float64Array.from(learningRates), C: Float64Array.from(C) } },
      options,
    );
  assert.throws(() => tracin.influence(grams, options), /layer 0 q was scored at one checkpoint/);
  assert.throws(() => of([1, 2], [1, 2]), /has 2 products for 2 checkpoints .* expected 4/);
  assert.throws(() => of([], []), /for 0 checkpoints/);
  assert.throws(
    () => of([1, 2], [1, 2, 3, NaN]),
    /layer 0 q at checkpoint 1 is NaN for training sample 1 and validation sample 0/,
  );
});

test('tracin: all products zero is a zero gradient', () => {
  const checkpoints = { learningRates: Float64Array.of(1), C: new Float64Array(2) };
  assert.equal(tracin.influence({ ...grams, checkpoints }, options).zeroGradient, true);
});
