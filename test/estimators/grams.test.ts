import { test } from 'node:test';
import assert from 'node:assert/strict';
import { dampingValue } from '../../server/src/estimators/damping.ts';
import { dot } from '../../server/src/estimators/dot.ts';
import { estimators, findEstimator, requireTrainSamples } from '../../server/src/estimators/estimators.ts';
import { gramsOf, inner, randomGradients } from './primal.ts';

const options = { damping: { rule: 'mean_square', factor: 0.1 } as const };

test('dot: exactly the inner products of the gradients', () => {
  const gradients = randomGradients(6, 3, 10, 3);
  const { B, damping } = dot.influence(gramsOf(gradients), options);
  assert.deepEqual(
    [...B],
    gradients.train.flatMap((g) => gradients.validation.map((v) => inner(g, v))),
  );
  assert.equal(damping, null);
});

test('every estimator names the Gram, the matrix and the sample of a number that is not finite', () => {
  for (const estimator of estimators) {
    const grams = gramsOf(randomGradients(4, 3, 5, 1));
    grams.C[2 * 3 + 1] = NaN;
    assert.throws(
      () => estimator.influence(grams, { ...options, where: 'model.layers.7 self_attn.q_proj' }),
      /Gram C of model\.layers\.7 self_attn\.q_proj is NaN at training sample 2, validation sample 1/,
      estimator.id,
    );
    const infinite = gramsOf(randomGradients(4, 3, 5, 1));
    infinite.K[4 + 3] = Infinity;
    assert.throws(
      () => estimator.influence(infinite, options),
      /Gram K of .* is Infinity at training sample 1, training sample 3/,
      estimator.id,
    );
    const short = { ...gramsOf(randomGradients(4, 3, 5, 1)), C: new Float64Array(5) };
    assert.throws(
      () => estimator.influence(short, options),
      /Gram C of .* has 5 numbers, expected 12 \(4 x 3\)/,
      estimator.id,
    );
  }
});

test('damping: each rule on the worked example, K = [[5, 2], [2, 2]], d = 3', () => {
  const grams = gramsOf({
    train: [
      [1, 0, 2],
      [0, 1, 1],
    ],
    validation: [[1, 1, 0]],
  });
  assert.equal(dampingValue(grams, { rule: 'mean_square', factor: 0.1 }), (0.1 * 7) / 6);
  assert.equal(dampingValue(grams, { rule: 'absolute', factor: 0.25 }), 0.25);
  // Eigenvalues of F within its rank 2 sum to trace(K)/n = 3.5.
  assert.equal(dampingValue(grams, { rule: 'mean_eigenvalue', factor: 1 }), 1.75);
  for (const factor of [0, -1, NaN, Infinity])
    assert.throws(() => dampingValue(grams, { rule: 'absolute', factor }), /must be a positive number/);
});

test('damping: mean_eigenvalue does not count eigenvalues beyond the number of weights', () => {
  const grams = gramsOf(randomGradients(9, 1, 2, 8));
  const trace = [...Array(9).keys()].reduce((sum, i) => sum + grams.K[i * 10], 0);
  assert.ok(Math.abs(dampingValue(grams, { rule: 'mean_eigenvalue', factor: 1 }) - trace / 9 / 2) < 1e-12);
});

test('the table: unique ids, and errors that list what there is', () => {
  assert.equal(new Set(estimators.map(({ id }) => id)).size, estimators.length);
  for (const estimator of estimators) assert.equal(findEstimator(estimator.id), estimator);
  assert.throws(() => findEstimator('lisa'), /estimator "lisa" is not available: use one of datainf, fisher, dot/);
  requireTrainSamples(findEstimator('dot'), 1, 'a');
  assert.throws(
    () => requireTrainSamples(findEstimator('datainf'), 1, 'reviews'),
    /task "reviews" has 1 training sample, estimator datainf needs at least 2: .*fisher or dot/,
  );
});
