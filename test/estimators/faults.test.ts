/**
 * Small faults that would not be seen by the size of a number: bounds, defaults, what a draw or a plan may cost,
 * residuals that lie.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aggregations } from '../../server/src/estimators/aggregation.ts';
import { dampedSystem, solve } from '../../server/src/estimators/dampedSystem.ts';
import { dampingValue, sweepFactors } from '../../server/src/estimators/damping.ts';
import { estimators } from '../../server/src/estimators/estimators.ts';
import { fisher } from '../../server/src/estimators/fisher.ts';
import { relatif } from '../../server/src/estimators/relatif.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { drawnScores, planReplicates } from '../../server/src/estimators/replicates.ts';
import type { Estimator } from '../../server/src/estimators/types.ts';
import { gramsOf, randomGradients } from './primal.ts';

const near = (a: number, b: number, within = 1e-12) =>
  assert.ok(Math.abs(a - b) <= within * Math.max(1, Math.abs(b)), `${a}, expected ${b}`);
const byId = (id: string): Estimator => estimators.find((estimator) => estimator.id === id)!;
const one = { damping: { rule: 'absolute', factor: 1 } as const };

test('how few training samples an estimator works with', () => {
  const least = Object.fromEntries(
    ['datainf', 'fisher', 'cosine', 'relatif', 'tracin', 'dot'].map((id) => [id, byId(id).minimumTrain]),
  );
  assert.deepEqual(least, { datainf: 2, fisher: 1, cosine: 1, relatif: 1, tracin: 1, dot: 1 });
});

test('a damping of exactly 1 is a damping like any other', () => {
  const grams = gramsOf(randomGradients(4, 2, 6, 1));
  for (const id of ['datainf', 'fisher', 'relatif']) {
    const { B, zeroGradient, damping } = byId(id).influence(grams, one);
    assert.equal(zeroGradient, false, id);
    assert.equal(damping, 1, id);
    assert.ok(
      B.every((value) => value !== 0),
      id,
    );
  }
});

test('damping by the mean eigenvalue divides by the rank, which n or the number of weights bounds', () => {
  const rule = { rule: 'mean_eigenvalue', factor: 0.5 } as const;
  const trace = (K: Float64Array, n: number) =>
    Array.from({ length: n }, (_, i) => K[i * n + i]).reduce((a, b) => a + b);
  for (const [n, d] of [
    [3, 8],
    [8, 3],
  ]) {
    const grams = gramsOf(randomGradients(n, 1, d, 2));
    near(dampingValue(grams, rule), (0.5 * trace(grams.K, n)) / (n * Math.min(n, d)));
  }
  const grams = gramsOf(randomGradients(3, 1, 8, 2));
  near(dampingValue(grams, { rule: 'mean_square', factor: 0.5 }), (0.5 * trace(grams.K, 3)) / (3 * 8));
});

test('a damping factor is a positive number; a sweep goes through seven decades', () => {
  const grams = gramsOf(randomGradients(2, 1, 2, 1));
  for (const factor of [0, -1, NaN, Infinity])
    assert.throws(
      () => dampingValue(grams, { rule: 'absolute', factor }),
      /must be a positive number, for example 0\.1/,
    );
  assert.deepEqual(sweepFactors, [0.001, 0.01, 0.1, 1, 10, 100, 1000]);
});

test('a solution is refused by its residual relative to the right side, whatever the size of that', () => {
  const grams = gramsOf(randomGradients(5, 1, 9, 3));
  const system = dampedSystem(grams, 0.5);
  // A factor of another matrix: one part in 10,000 wrong.
  const wrong = { ...system, kernel: system.kernel.map((value) => value * 1.0001) };
  for (const size of [1e-9, 1, 1e9]) {
    const right = grams.C.map((value) => size * value);
    const exact = solve(system, right, 1);
    assert.ok(exact.every(Number.isFinite));
    assert.throws(
      () => solve(wrong, right, 1),
      /cannot be inverted with damping 5\.00e-1 \(residual [1-9]\.\de-[56], allowed 0\.000001\)/,
    );
  }
  assert.deepEqual([...solve(system, new Float64Array(5), 1)], [0, 0, 0, 0, 0]);
});

test('a draw whose samples have no gradient has no influence', () => {
  const grams = gramsOf({
    train: [
      [0, 0],
      [0, 0],
      [1, 2],
    ],
    validation: [[1, 1]],
  });
  const draw = { train: Float64Array.of(1, 1, 0), validation: Float64Array.of(1) };
  const [influence] = fisher.resampled!(grams, [draw], { damping: { rule: 'mean_square', factor: 0.1 } });
  assert.deepEqual([...influence], [0, 0, 0]);
});

test('what a draw costs, and how many of them the budget of 1.2e10 allows', () => {
  near(fisher.resamplingCost!(10), 8 ** 3 / 6 + 3 * 8 ** 2);
  near(relatif.resamplingCost!(10), 2.2 * 8 ** 3);
  const plan = (cost: number, replicates = 200) =>
    planReplicates({ ...fisher, resamplingCost: () => cost }, { n: 10, matrices: 1, per: 'sample', replicates });
  assert.deepEqual(plan(1), { replicates: 200, curvature: 'resampled' });
  // 1.2e10 / 9e7 = 133.3
  assert.deepEqual(plan(9e7), { replicates: 133, curvature: 'resampled' });
  assert.deepEqual(plan(1.2e9), { replicates: 50, curvature: 'resampled' });
  assert.deepEqual(plan(1.92e9), { replicates: 50, curvature: 'resampled' });
  assert.deepEqual(plan(1.93e9), { replicates: 200, curvature: 'fixed' });
});

test('the size of a draw is the sum of the absolute influences of what it holds', () => {
  const grams = gramsOf(randomGradients(4, 2, 6, 4));
  const draws = [{ train: Float64Array.of(1, 0, 2, 1), validation: Float64Array.of(1, 1) }];
  const options = { ...one, estimator: byId('dot'), aggregation: 'sum', layerName: 'layer 0' } as const;
  const { sizes, scores } = drawnScores([{ module: 'w', grams }], draws, 'none', options);
  const own = [0, 1, 2, 3].map((i) => grams.C[2 * i] + grams.C[2 * i + 1]);
  near(
    sizes[0],
    [1, 0, 2, 1].reduce((sum, weight, i) => sum + weight * Math.abs(own[i]), 0),
  );
  near(
    scores[0],
    [1, 0, 2, 1].reduce((sum, weight, i) => sum + weight * own[i], 0),
  );
});

test('the top quarter is one of the positive values, with weights and without', () => {
  const { top25 } = aggregations;
  const values = Float64Array.of(0, 5, -3, 4, 0, 3, 2, 1, 0);
  assert.equal(top25.apply(values), 9); // ceil(5 / 4) = 2 of five positive ones
  assert.equal(top25.apply(values, new Float64Array(9).fill(1)), 9);
  // Zeros count nothing, however heavy they are.
  assert.equal(top25.apply(values, Float64Array.of(7, 1, 1, 1, 7, 1, 1, 1, 7)), 9);
  assert.equal(top25.apply(values, Float64Array.of(1, 0, 1, 3, 1, 1, 0, 0, 1)), 4); // four copies: one
});

test('the worst convergence of the modules is told with its module; a score that overflows is an error', () => {
  const grams = gramsOf(randomGradients(2, 1, 3, 5));
  const residuals = [0.5, 0, 0.75, 0.25];
  let call = 0;
  const estimator: Estimator = {
    ...byId('dot'),
    influence: () => ({
      B: new Float64Array(2).fill(call === 99 ? Infinity : 1),
      damping: null,
      zeroGradient: false,
      convergence: { residual: residuals[call++], iterations: 3 } as never,
    }),
  };
  const options = { ...one, estimator, aggregation: 'sum', layerName: 'layer 0' } as const;
  const modules = ['a', 'b', 'c', 'd'].map((module) => ({ module, grams }));
  assert.equal(scoreLayer(modules, options).convergence!.module, 'c');
  call = 1; // residual 0 alone
  assert.equal(scoreLayer(modules.slice(0, 1), options).convergence!.module, 'a');
  call = 99;
  assert.throws(
    () => scoreLayer(modules.slice(0, 1), options),
    /the score of layer 0 a is Infinity: its influence overflows float64/,
  );
});
