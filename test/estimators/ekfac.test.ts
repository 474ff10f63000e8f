/**
 * What the estimator makes of the engine's numbers; the numbers themselves are checked in test/engine/ekfac.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ekfac, ekfacDamping } from '../../server/src/estimators/ekfac.ts';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import type { DampingRule } from '../../protocol/experiment.ts';
import type { Grams } from '../../server/src/estimators/types.ts';

const grams: Grams = {
  n: 2,
  m: 1,
  parameters: 4,
  K: Float64Array.of(5, 2, 2, 2),
  C: Float64Array.of(1, 1),
  diagV: Float64Array.of(2),
  ekfac: { meanEigenvalue: 0.5, dampings: Float64Array.of(0.05, 0.5), B: Float64Array.of(3, -4, 1, -2) },
};
const damping = (rule: DampingRule, factor: number) => ({ damping: { rule, factor }, where: 'layer 3 q_proj' });

test('the factor asked for picks the influence; both relative rules are relative to the mean eigenvalue', () => {
  assert.equal(findEstimator('ekfac'), ekfac);
  for (const rule of ['mean_square', 'mean_eigenvalue'] as const) {
    assert.deepEqual(ekfac.influence(grams, damping(rule, 0.1)), {
      B: Float64Array.of(3, -4),
      damping: 0.05,
      zeroGradient: false,
    });
    assert.deepEqual([...ekfac.influence(grams, damping(rule, 1)).B], [1, -2]);
  }
  assert.deepEqual([...ekfac.influence(grams, damping('absolute', 0.5)).B], [1, -2]);
});

test('the engine is asked for the factor of the experiment and those of a sweep, each once', () => {
  assert.deepEqual(ekfacDamping({ rule: 'mean_square', factor: 0.1 }), {
    relative: true,
    factors: [0.1, 0.001, 0.01, 1, 10, 100, 1000],
  });
  assert.deepEqual(ekfacDamping({ rule: 'absolute', factor: 0.3 }), {
    relative: false,
    factors: [0.3, 0.001, 0.01, 0.1, 1, 10, 100, 1000],
  });
});

test('what was not computed is refused with what is there', () => {
  assert.throws(() => ekfac.influence(grams, damping('mean_square', 7)), {
    code: 'badRequest',
    message:
      'EK-FAC of layer 3 q_proj was not computed for damping factor 7 (rule mean_square) but for 0.1, 1: choose one of these or score again',
  });
  assert.throws(() => ekfac.influence({ ...grams, ekfac: undefined }, damping('mean_square', 0.1)), {
    code: 'badRequest',
    message: /layer 3 q_proj was scored without EK-FAC.*score again with estimator ekfac/,
  });
});

test('zero gradients are flagged; a number that is not finite is an error with its place', () => {
  const none = { meanEigenvalue: 0, dampings: Float64Array.of(0, 0), B: new Float64Array(4) };
  const zero = ekfac.influence({ ...grams, ekfac: none }, damping('mean_square', 0.1));
  assert.deepEqual(zero, { B: Float64Array.of(0, 0), damping: 0, zeroGradient: true });
  const bad = { ...grams.ekfac!, B: Float64Array.of(3, NaN, 1, 1) };
  assert.throws(() => ekfac.influence({ ...grams, ekfac: bad }, damping('mean_square', 0.1)), {
    code: 'failed',
    message: /layer 3 q_proj is NaN for training sample 1 and validation sample 0/,
  });
});
