/** Weighted samples against samples that are really repeated or left out: the Grams of the drawn indices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimators, findEstimator } from '../../server/src/estimators/estimators.ts';
import { overValidation, scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { planReplicates, replicateScores } from '../../server/src/estimators/replicates.ts';
import type { Draw, Grams } from '../../server/src/estimators/types.ts';
import { Random } from '../../server/src/random/random.ts';
import { resampleCounts } from '../../server/src/statistics/bootstrap.ts';
import { select } from '../../server/src/run/influence/projectionError.ts';
import { gramsOf, randomGradients, relativeError } from './primal.ts';

const [n, m] = [9, 5];
const grams = gramsOf(randomGradients(n, m, 30, 4));
const modules = [
  { module: 'q', grams },
  { module: 'k', grams: gramsOf(randomGradients(n, m, 12, 5)) },
];
const random = new Random(1);
const draws: Draw[] = [
  ...Array.from({ length: 4 }, () => ({ train: resampleCounts(n, random), validation: resampleCounts(m, random) })),
  {
    train: Float64Array.from({ length: n }, (_, i) => i % 2),
    validation: Float64Array.from({ length: m }, (_, j) => j % 2),
  },
];
const indices = (counts: Float64Array) => [...counts].flatMap((count, i) => new Array<number>(count).fill(i));
/** Estimators whose influence is computed again for every draw, in each form. */
const resampled = estimators.filter(({ curvature }) => curvature === 'resampled');
const forms = resampled.flatMap((estimator) =>
  (estimator.id === 'relatif' ? (['l', 'theta'] as const) : ([undefined] as const)).map((relatif) => ({
    estimator,
    relatif,
  })),
);

test('the estimators that can be resampled', () => {
  assert.deepEqual(resampled.map(({ id }) => id).sort(), ['datainf', 'fisher', 'lissa', 'relatif']);
});

for (const { estimator, relatif } of forms) {
  for (const rule of ['mean_square', 'mean_eigenvalue', 'absolute'] as const) {
    test(`${estimator.id} ${relatif ?? ''} with ${rule} damping: weights are repeated samples`, () => {
      const options = { damping: { rule, factor: 0.3 }, relatif };
      const weighted = estimator.resampled!(grams, draws, options);
      draws.forEach((draw, d) => {
        const [train, validation] = [indices(draw.train), indices(draw.validation)];
        const repeated = select(grams, train, validation);
        const { B } = estimator.influence(repeated, options);
        const expected = overValidation(B, train.length, validation.length);
        const error = relativeError(
          train.map((i) => weighted[d][i]),
          expected,
        );
        assert.ok(error < (estimator.id === 'lissa' ? 1e-4 : 1e-9), `draw ${d}: ${error}`);
      });
    });
  }
}

for (const aggregation of ['positive', 'top25', 'sum'] as const) {
  test(`${aggregation}: the score of a draw is that of the repeated samples`, () => {
    for (const id of ['datainf', 'fisher', 'dot', 'cosine'] as const) {
      const estimator = findEstimator(id);
      const options = {
        estimator,
        aggregation,
        damping: { rule: 'mean_square', factor: 0.1 },
        layerName: 'layer 0',
      } as const;
      const scores = replicateScores(modules, draws, estimator.curvature, options);
      draws.forEach((draw, d) => {
        const own = (g: Grams) => select(g, indices(draw.train), indices(draw.validation));
        const repeated = modules.map(({ module, grams: g }) => ({
          module,
          grams: { ...own(g), parameters: g.parameters },
        }));
        const expected = scoreLayer(repeated, options).score;
        assert.ok(relativeError([scores[d]], [expected]) < 1e-8, `${id}, draw ${d}: ${scores[d]}, ${expected}`);
        if (estimator.curvature !== 'none') return;
        const [pair] = replicateScores(modules, [draw], 'none', { ...options, per: 'pair' });
        const pairs = scoreLayer(repeated, { ...options, per: 'pair' }).score;
        assert.ok(relativeError([pair], [pairs]) < 1e-8, `${id} per pair, draw ${d}: ${pair}, ${pairs}`);
      });
    }
  });
}

test('fixed curvature narrows the scatter of DataInf little, and is said', () => {
  const estimator = findEstimator('datainf');
  const options = {
    estimator,
    aggregation: 'positive',
    damping: { rule: 'mean_square', factor: 0.1 },
    layerName: 'l',
  } as const;
  const many = Array.from({ length: 300 }, () => ({
    train: resampleCounts(n, random),
    validation: resampleCounts(m, random),
  }));
  const spread = (scores: Float64Array) => {
    const mean = scores.reduce((a, b) => a + b) / scores.length;
    return Math.sqrt(scores.reduce((sum, x) => sum + (x - mean) ** 2, 0) / scores.length) / mean;
  };
  const [full, fixed] = (['resampled', 'fixed'] as const).map((kind) =>
    spread(replicateScores(modules, many, kind, options)),
  );
  assert.ok(fixed > 0.5 * full && fixed < 2 * full, `relative scatter ${full} with, ${fixed} without the curvature`);
});

test('replicates become fewer where they are expensive, then the curvature stays fixed', () => {
  const plan = (id: string, samples: number, per: 'sample' | 'pair' = 'sample') =>
    planReplicates(findEstimator(id), { n: samples, matrices: 210, per, replicates: 200 });
  assert.deepEqual(plan('datainf', 300), { replicates: 200, curvature: 'resampled' });
  assert.deepEqual(plan('dot', 3000), { replicates: 200, curvature: 'none' });
  assert.deepEqual(plan('ekfac', 300), { replicates: 200, curvature: 'fixed' });
  const fisher = plan('fisher', 300);
  assert.ok(fisher.curvature === 'resampled' && fisher.replicates >= 50 && fisher.replicates < 200);
  assert.deepEqual(plan('fisher', 3000), { replicates: 200, curvature: 'fixed' });
  assert.deepEqual(plan('datainf', 300, 'pair'), { replicates: 200, curvature: 'fixed' });
});
