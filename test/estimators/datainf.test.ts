import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { datainf } from '../../server/src/estimators/datainf.ts';
import { fisher } from '../../server/src/estimators/fisher.ts';
import { datainfPrimal, gramsOf, randomGradients, relativeError } from './primal.ts';

const absolute = (factor: number) => ({ damping: { rule: 'absolute', factor } as const });
const meanSquare = { damping: { rule: 'mean_square', factor: 0.1 } as const };
const shapes = fc.record({
  n: fc.integer({ min: 2, max: 9 }),
  m: fc.integer({ min: 1, max: 4 }),
  d: fc.integer({ min: 1, max: 12 }),
  seed: fc.nat(),
});

test('datainf: the worked example with three weights', () => {
  const grams = gramsOf({
    train: [
      [1, 0, 2],
      [0, 1, 1],
    ],
    validation: [[1, 1, 0]],
  });
  assert.deepEqual([...grams.K], [5, 2, 2, 2]);
  const { B, damping, zeroGradient } = datainf.influence(grams, absolute(0.5));
  assert.ok(relativeError(B, [0.2909090909, 0.8363636364]) < 1e-9, String(B));
  assert.equal(damping, 0.5);
  assert.equal(zeroGradient, false);
  assert.ok(Math.abs(datainf.influence(grams, meanSquare).damping! - 0.7 / 6) < 1e-15);
});

test('datainf: the kernel form equals the closed form over the gradients themselves', () => {
  fc.assert(
    fc.property(shapes, fc.double({ min: 0.01, max: 10, noNaN: true }), ({ n, m, d, seed }, lambda) => {
      const gradients = randomGradients(n, m, d, seed);
      const { B } = datainf.influence(gramsOf(gradients), absolute(lambda));
      assert.ok(relativeError(B, datainfPrimal(gradients, lambda)) < 1e-9);
    }),
  );
  const wide = randomGradients(40, 7, 500, 1);
  const lambda = datainf.influence(gramsOf(wide), meanSquare).damping!;
  assert.ok(relativeError(datainf.influence(gramsOf(wide), meanSquare).B, datainfPrimal(wide, lambda)) < 1e-11);
});

test('datainf: scaling every gradient of a matrix changes nothing under a relative damping', () => {
  fc.assert(
    fc.property(shapes, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), ({ n, m, d, seed }, scale) => {
      const one = datainf.influence(gramsOf(randomGradients(n, m, d, seed)), meanSquare);
      const scaled = datainf.influence(gramsOf(randomGradients(n, m, d, seed, scale)), meanSquare);
      assert.ok(relativeError(scaled.B, one.B) < 1e-8);
    }),
  );
});

test('datainf: with one training sample it is the exact damped Fisher', () => {
  fc.assert(
    fc.property(shapes, ({ m, d, seed }) => {
      const grams = gramsOf(randomGradients(1, m, d, seed));
      assert.ok(
        relativeError(datainf.influence(grams, absolute(0.3)).B, fisher.influence(grams, absolute(0.3)).B) < 1e-10,
      );
    }),
  );
});

test('datainf: a large damping leaves the gradient dot product over lambda', () => {
  const grams = gramsOf(randomGradients(12, 5, 30, 4));
  const lambda = 1e9;
  const { B } = datainf.influence(grams, absolute(lambda));
  assert.ok(
    relativeError(
      B.map((value) => value * lambda),
      grams.C,
    ) < 1e-6,
  );
});

test('datainf: all-zero gradients are flagged, and one zero gradient among others has zero influence', () => {
  const zero = gramsOf({
    train: [
      [0, 0],
      [0, 0],
    ],
    validation: [[1, 2]],
  });
  assert.deepEqual(datainf.influence(zero, meanSquare), { B: new Float64Array(2), damping: 0, zeroGradient: true });
  const oneZero = datainf.influence(
    gramsOf({
      train: [
        [0, 0],
        [3, 1],
        [1, 1],
      ],
      validation: [[1, 2]],
    }),
    meanSquare,
  );
  assert.equal(oneZero.zeroGradient, false);
  assert.equal(oneZero.B[0], 0);
  assert.ok(oneZero.B.every(Number.isFinite));
});

test('datainf: 300 x 50 samples take well under a tenth of a second', () => {
  const n = 300;
  const m = 50;
  const gradients = randomGradients(n, m, 8, 2);
  const grams = gramsOf(gradients);
  datainf.influence(grams, meanSquare);
  const start = performance.now();
  for (let repeat = 0; repeat < 5; repeat++) datainf.influence(grams, meanSquare);
  const each = (performance.now() - start) / 5;
  assert.ok(each < 100, `${each.toFixed(1)} ms`);
});
