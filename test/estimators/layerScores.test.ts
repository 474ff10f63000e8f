import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { aggregations } from '../../server/src/estimators/aggregation.ts';
import { datainf } from '../../server/src/estimators/datainf.ts';
import { dot } from '../../server/src/estimators/dot.ts';
import { overValidation, scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { gramsOf, inner, randomGradients, relativeError } from './primal.ts';

const damping = { rule: 'mean_square', factor: 0.1 } as const;

test('aggregation: positive, the largest quarter of the positives, and the plain sum', () => {
  const values = Float64Array.of(5, -3, 1, 4, 0, -2, 3, 2); // five positive: top25 takes ceil(5/4) = 2
  assert.equal(aggregations.positive.apply(values), 15);
  assert.equal(aggregations.top25.apply(values), 9);
  assert.equal(aggregations.sum.apply(values), 10);
  assert.equal(aggregations.top25.apply(Float64Array.of(1, 2, 3, 4)), 4);
  assert.equal(aggregations.top25.apply(Float64Array.of(-1, 0)), 0);
  assert.equal(aggregations.positive.apply(Float64Array.of(-1, 0)), 0);
  assert.deepEqual([...values], [5, -3, 1, 4, 0, -2, 3, 2], 'the input is left as it was');
});

test('aggregation: top25 <= positive, sum <= positive, whatever the values', () => {
  fc.assert(
    fc.property(fc.float64Array({ min: -1e6, max: 1e6, noNaN: true, minLength: 1, maxLength: 40 }), (values) => {
      const positive = aggregations.positive.apply(values);
      assert.ok(aggregations.top25.apply(values) <= positive * (1 + 1e-12));
      assert.ok(aggregations.sum.apply(values) <= positive + 1e-6);
    }),
  );
});

test('layer: dot over several matrices is the inner product of the joined gradients', () => {
  const q = randomGradients(6, 3, 10, 1);
  const up = randomGradients(6, 3, 25, 2);
  const scores = scoreLayer(
    [
      { module: 'q', grams: gramsOf(q) },
      { module: 'up', grams: gramsOf(up) },
    ],
    { estimator: dot, damping, aggregation: 'sum', layerName: 'l' },
  );
  const joined = {
    train: q.train.map((g, i) => [...g, ...up.train[i]]),
    validation: q.validation.map((v, j) => [...v, ...up.validation[j]]),
  };
  const expected = joined.train.map((g) => joined.validation.reduce((sum, v) => sum + inner(g, v), 0));
  assert.ok(relativeError(scores.influence, expected) < 1e-12);
  assert.ok(
    relativeError(
      scores.trainSquaredNorm,
      joined.train.map((g) => inner(g, g)),
    ) < 1e-12,
  );
  assert.ok(
    relativeError(
      scores.validationSquaredNorm,
      joined.validation.map((v) => inner(v, v)),
    ) < 1e-12,
  );
  assert.ok(
    Math.abs(scores.score - scores.modules.q.score - scores.modules.up.score) < 1e-9 * Math.abs(scores.sum),
    'modules add up under sum',
  );
  assert.deepEqual(scores.damping, [null, null]);
});

test('layer: the score aggregates after the sum over modules, a module its own B', () => {
  // One validation sample, dot: q gives B = (2, -1), k gives (-3, 4); together (-1, 3).
  const gramsWith = (C: number[]) => ({
    n: 2,
    m: 1,
    parameters: 1,
    K: Float64Array.of(1, 0, 0, 1),
    C: Float64Array.from(C),
    diagV: Float64Array.of(1),
  });
  const scores = scoreLayer(
    [
      { module: 'q', grams: gramsWith([2, -1]) },
      { module: 'k', grams: gramsWith([-3, 4]) },
    ],
    { estimator: dot, damping, aggregation: 'positive', layerName: 'l' },
  );
  assert.deepEqual([...scores.influence], [-1, 3]);
  assert.deepEqual([scores.score, scores.positive, scores.top25, scores.sum], [3, 3, 3, 2]);
  assert.deepEqual(scores.modules, { q: { score: 2 }, k: { score: 4 } });
});

test('layer: every matrix has its own damping, and one without gradients is flagged and adds nothing', () => {
  const live = gramsOf(randomGradients(5, 2, 8, 6));
  const dead = {
    ...gramsOf({
      train: Array.from({ length: 5 }, () => [0, 0, 0]),
      validation: [
        [1, 0, 0],
        [0, 1, 0],
      ],
    }),
  };
  const scores = scoreLayer(
    [
      { module: 'live', grams: live },
      { module: 'dead', grams: dead },
    ],
    { estimator: datainf, damping, aggregation: 'positive', layerName: 'l' },
  );
  const alone = datainf.influence(live, { damping });
  assert.deepEqual(scores.zeroGradient, ['dead']);
  assert.deepEqual(scores.damping, [alone.damping, 0]);
  assert.deepEqual([...scores.influence], [...overValidation(alone.B, 5, 2)]);
  assert.deepEqual(scores.modules.dead, { score: 0 });
});

test('layer: errors name layer and module', () => {
  const options = { estimator: datainf, damping, aggregation: 'positive', layerName: 'model.layers.4' } as const;
  const a = gramsOf(randomGradients(5, 2, 8, 6));
  assert.throws(
    () =>
      scoreLayer(
        [
          { module: 'a', grams: a },
          { module: 'b', grams: gramsOf(randomGradients(4, 2, 8, 6)) },
        ],
        options,
      ),
    /model\.layers\.4 b are for 4 x 2 samples, those of a for 5 x 2/,
  );
  const bad = gramsOf(randomGradients(5, 2, 8, 6));
  bad.diagV[1] = NaN;
  assert.throws(
    () => scoreLayer([{ module: 'a', grams: bad }], options),
    /Gram diagV of model\.layers\.4 a is NaN at validation sample 1/,
  );
  assert.throws(() => scoreLayer([], options), /model\.layers\.4 has no scored weight matrix/);
});

test('per pair: every pair of a training and a validation sample is aggregated by itself', () => {
  const grams = gramsOf({
    train: [
      [1, 0],
      [0, 2],
    ],
    validation: [
      [3, 1],
      [-1, 1],
    ],
  });
  const options = { estimator: dot, damping: { rule: 'mean_square', factor: 0.1 }, layerName: 'layer 0' } as const;
  const modules = [
    { module: 'q', grams },
    { module: 'k', grams },
  ];
  // C = [[3, -1], [2, 2]], twice.
  const perSample = scoreLayer(modules, { ...options, aggregation: 'positive' });
  const perPair = scoreLayer(modules, { ...options, aggregation: 'positive', per: 'pair' });
  assert.equal(perSample.score, 2 * (2 + 4));
  assert.equal(perPair.score, 2 * (3 + 2 + 2));
  assert.equal(perPair.modules.q.score, 7);
  assert.equal(scoreLayer(modules, { ...options, aggregation: 'top25', per: 'pair' }).score, 6);
  assert.equal(perPair.sum, perSample.sum);
  assert.deepEqual(perPair.influence, perSample.influence);
});
