import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { fisher } from '../../server/src/estimators/fisher.ts';
import { fisherPrimal, gramsOf, randomGradients, relativeError } from './primal.ts';

const absolute = (factor: number) => ({ damping: { rule: 'absolute', factor } as const });

test('fisher: the worked example with three weights', () => {
  const grams = gramsOf({
    train: [
      [1, 0, 2],
      [0, 1, 1],
    ],
    validation: [[1, 1, 0]],
  });
  const { B } = fisher.influence(grams, absolute(0.5));
  assert.ok(relativeError(B, [1 / 7, 4 / 7]) < 1e-12, String(B));
});

test('fisher: the n x n solve equals the d x d solve over the gradients themselves', () => {
  fc.assert(
    fc.property(
      fc.record({
        n: fc.integer({ min: 1, max: 9 }),
        m: fc.integer({ min: 1, max: 4 }),
        d: fc.integer({ min: 1, max: 12 }),
        seed: fc.nat(),
      }),
      fc.double({ min: 0.01, max: 10, noNaN: true }),
      ({ n, m, d, seed }, lambda) => {
        const gradients = randomGradients(n, m, d, seed);
        assert.ok(
          relativeError(fisher.influence(gramsOf(gradients), absolute(lambda)).B, fisherPrimal(gradients, lambda)) <
            1e-9,
        );
      },
    ),
  );
});

test('fisher: duplicate samples share their influence', () => {
  const { train, validation } = randomGradients(5, 3, 20, 9);
  const { B } = fisher.influence(gramsOf({ train: [...train, train[2]], validation }), {
    damping: { rule: 'mean_square', factor: 0.1 },
  });
  assert.ok(relativeError(B.slice(5 * 3, 6 * 3), B.slice(2 * 3, 3 * 3)) < 1e-9);
});

test('fisher: a K that the damping cannot repair is an error that names the matrix and a way out', () => {
  const { train, validation } = randomGradients(4, 2, 20, 5);
  const grams = gramsOf({ train: [...train, train[0]], validation });
  grams.C[0] += 1; // now the right side is outside the range of K, as rounding would make it
  assert.throws(
    () => fisher.influence(grams, { ...absolute(1e-18), where: 'model.layers.3 mlp.up_proj' }),
    /model\.layers\.3 mlp\.up_proj cannot be inverted .* raise the damping factor/,
  );
});

test('fisher: all-zero gradients are flagged', () => {
  const zero = gramsOf({ train: [[0, 0]], validation: [[1, 2]] });
  assert.deepEqual(fisher.influence(zero, { damping: { rule: 'mean_square', factor: 0.1 } }), {
    B: new Float64Array(1),
    damping: 0,
    zeroGradient: true,
  });
});
