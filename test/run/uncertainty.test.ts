import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { rescore } from '../../server/src/run/influence/rescore.ts';
import { sweepDamping } from '../../server/src/run/influence/sweepDamping.ts';
import { uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';
import { gramsOf, randomGradients } from '../estimators/primal.ts';
import { score, tinyWorkspace } from './workspace.ts';

const options = {
  estimator: findEstimator('dot'),
  damping: { rule: 'mean_square', factor: 0.1 },
  aggregation: 'sum',
  seed: 3,
} as const;

/** Layers whose scores differ by their gradients' size. */
function layersOf(sizes: readonly number[], n = 30, m = 10, shift = 0) {
  const all = sizes.map((size, layer) => {
    const { train, validation } = randomGradients(n, m, 8, 50 + layer);
    const moved = (rows: number[][]) => rows.map((row) => row.map((x) => size * (x + shift)));
    return [{ module: 'q', grams: gramsOf({ train: moved(train), validation: moved(validation) }) }];
  });
  const layers = all.map((modules, index) => {
    const {
      score: value,
      positive,
      top25,
      sum,
      modules: own,
    } = scoreLayer(modules, { ...options, layerName: `l${index}` });
    return { index, name: `l${index}`, score: value, positive, top25, sum, modules: own };
  });
  return {
    task: { task: 't', layers, train: { samples: n }, validation: { samples: m } },
    modulesOf: (l: number) => all[l],
  };
}

test('layers far apart keep their rank, layers alike do not and are marked', async () => {
  const apart = layersOf([1, 2, 4, 8, 16, 32], 30, 10, 1);
  const sure = (await uncertaintyOf(apart.task, apart.modulesOf, options))!;
  assert.deepEqual(
    sure.layers.map(({ rankInterval }) => rankInterval),
    [6, 5, 4, 3, 2, 1].map((r) => [r, r]),
  );
  assert.equal(sure.uncertainty.unstable, 0);
  assert.ok(sure.uncertainty.halves!.low > 0.9);
  sure.layers.forEach(({ interval: [low, high] }, row) => {
    const { score: value } = apart.task.layers[row];
    assert.ok(low < value && value < high, `${low} ${value} ${high}`);
  });

  const alike = layersOf([1, 1, 1, 1, 1, 1]);
  const unsure = (await uncertaintyOf(alike.task, alike.modulesOf, options))!;
  assert.ok(unsure.uncertainty.unstable >= 4, `${unsure.uncertainty.unstable} of 6 layers`);
  assert.ok(Math.abs(unsure.uncertainty.halves!.median) < 0.8);
});

test('the same seed gives the same intervals, another one others', async () => {
  const { task, modulesOf } = layersOf([1, 1.2, 1.4]);
  const of = async (seed: number) => (await uncertaintyOf(task, modulesOf, { ...options, seed }))!.layers;
  assert.deepEqual(await of(1), await of(1));
  assert.notDeepEqual(await of(1), await of(2));
});

test('too few samples have no interval; one validation sample has no halves', async () => {
  const few = layersOf([1, 2], 3, 2);
  assert.equal(await uncertaintyOf(few.task, few.modulesOf, options), null);
  const one = layersOf([1, 2], 8, 1);
  assert.equal((await uncertaintyOf(one.task, one.modulesOf, options))!.uncertainty.halves, null);
});

test('a run writes intervals; a rescoring makes its own when asked', async (t) => {
  const { result, resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  const [task] = result.tasks;
  assert.deepEqual(
    { ...task.uncertainty, halves: null, unstable: 0 },
    {
      level: 0.9,
      replicates: 200,
      seed: 0,
      curvature: 'resampled',
      halves: null,
      unstable: 0,
      samplesFactor: null,
    },
  );
  assert.equal(task.uncertainty!.halves!.splits, 10);
  for (const layer of task.layers) {
    assert.ok(layer.interval![0] < layer.interval![1]);
    assert.equal(layer.unstable, layer.rankInterval![1] - layer.rankInterval![0] > 1);
  }
  const again = await rescore(resultFile, { uncertainty: true });
  assert.deepEqual(again.tasks[0].uncertainty, task.uncertainty);
  assert.deepEqual(
    again.tasks[0].layers.map((l) => l.interval),
    task.layers.map((l) => l.interval),
  );
  assert.equal((await rescore(resultFile)).tasks[0].uncertainty, undefined);
});

test('a damping sweep: the step of the run has its scores and agrees with itself', async (t) => {
  const { result, resultFile } = await score(tinyWorkspace(t).experiment, { tasks: ['sentiment'] });
  for (const estimator of ['datainf', 'fisher', 'relatif', 'lissa'] as const) {
    const sweep = await sweepDamping(resultFile, 'sentiment', { estimator });
    assert.deepEqual(
      sweep.steps.map(({ factor }) => factor),
      [0.001, 0.01, 0.1, 1, 10, 100, 1000],
    );
    const own = sweep.steps.find(({ factor }) => factor === 0.1)!;
    assert.deepEqual(own.toDefault, { spearman: 1, kendall: 1 });
    assert.equal(sweep.steps.at(-1)!.toNext, null);
    for (const step of sweep.steps) {
      const { tasks } = await rescore(resultFile, { estimator, damping: { factor: step.factor } });
      const expected = tasks[0].layers.map((layer) => layer.score);
      step.scores!.forEach((value, row) =>
        assert.ok(
          Math.abs(value / expected[row] - 1) < 1e-4,
          `${estimator} ${step.factor}: ${value}, ${expected[row]}`,
        ),
      );
    }
  }
  const sweep = await sweepDamping(resultFile, undefined, { factors: [0.5] });
  assert.deepEqual(
    sweep.steps.map(({ factor }) => factor),
    [0.1, 0.5],
  );
  assert.equal(sweep.task, result.tasks[0].task);
  await assert.rejects(sweepDamping(resultFile, undefined, { estimator: 'dot' }), /estimator dot has no damping/);
});
