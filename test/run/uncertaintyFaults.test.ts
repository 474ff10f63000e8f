/** What intervals of layer scores are made of: both kinds of samples, the level, the third of the ranks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AggregationId } from '../../protocol/experiment.ts';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import type { Grams } from '../../server/src/estimators/types.ts';
import { scoreReplicates, uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';
import { Random } from '../../server/src/random/random.ts';

/** B = C with C_ij = base + row_i + column_j: rows and columns scatter as asked. */
function gramsOf(n: number, m: number, rows: number, columns: number, base: number, seed: number): Grams {
  const random = new Random(seed);
  const row = Float64Array.from({ length: n }, () => rows * random.normal());
  const column = Float64Array.from({ length: m }, () => columns * random.normal());
  const C = Float64Array.from({ length: n * m }, (_, at) => base + row[Math.floor(at / m)] + column[at % m]);
  const K = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
  return { n, m, parameters: 10, K, C, diagV: new Float64Array(m).fill(1) };
}

function taskOf(all: readonly Grams[]) {
  const layers = all.map(({ C }, index) => {
    const score = C.reduce((sum, c) => sum + c, 0);
    return { index, name: `l${index}`, score, positive: score, top25: score, sum: score, modules: { q: { score } } };
  });
  const [{ n, m }] = all;
  return {
    task: { task: 't', layers, train: { samples: n }, validation: { samples: m } },
    modulesOf: (layer: number) => [{ module: 'q', grams: all[layer] }],
  };
}

const options = (aggregation: AggregationId = 'sum') =>
  ({ estimator: findEstimator('dot'), damping: { rule: 'mean_square', factor: 0.1 }, aggregation, seed: 1 }) as const;

async function halfWidth(grams: Grams, replicates = 1000): Promise<number> {
  const { task, modulesOf } = taskOf([grams]);
  const { layers } = (await uncertaintyOf(task, modulesOf, { ...options(), replicates }))!;
  const [low, high] = layers[0].interval;
  assert.ok(Math.abs((low + high) / 2 / task.layers[0].score - 1) < 1e-9, 'symmetric about the score');
  return (high - low) / 2;
}

test('a sum of independent rows has the interval t s sqrt(n), and so has one of columns', async () => {
  const [n, m] = [20, 20];
  const expected = (grams: Grams, by: 'rows' | 'columns') => {
    const totals = Array.from({ length: 20 }, (_, k) => {
      let sum = 0;
      for (let l = 0; l < 20; l++) sum += by === 'rows' ? grams.C[k * m + l] : grams.C[l * m + k];
      return sum;
    });
    const mean = totals.reduce((a, b) => a + b) / 20;
    const s = Math.sqrt(totals.reduce((sum, t) => sum + (t - mean) ** 2, 0) / 19);
    return 1.729133 * s * Math.sqrt(20); // t of 19 degrees at 90 %
  };
  const rows = gramsOf(n, m, 1, 0, 5, 3);
  const columns = gramsOf(n, m, 0, 1, 5, 4);
  const both = gramsOf(n, m, 1, 1, 5, 5);
  const near = (found: number, wanted: number) => assert.ok(Math.abs(found / wanted - 1) < 0.1, `${found}, ${wanted}`);
  near(await halfWidth(rows), expected(rows, 'rows'));
  near(await halfWidth(columns), expected(columns, 'columns'));
  // Of both: variances add up; 38 degrees or a little fewer.
  const together = Math.hypot(expected(both, 'rows'), expected(both, 'columns'));
  near(await halfWidth(both), together * (1.686 / 1.729));
});

test('without scatter there is none, and one validation sample leaves its scatter out', async () => {
  assert.ok((await halfWidth(gramsOf(8, 4, 0, 0, 5, 1))) < 1e-9);
  const one = gramsOf(8, 1, 1, 1, 5, 1);
  assert.ok((await halfWidth(one)) > 0);
});

test('scores of helpful samples have no interval below 0, sums have', async () => {
  const grams = gramsOf(6, 3, 3, 3, 0.1, 8);
  const { task, modulesOf } = taskOf([grams]);
  for (const [aggregation, below] of [
    ['positive', false],
    ['top25', false],
    ['sum', true],
  ] as const) {
    const { layers } = (await uncertaintyOf(task, modulesOf, options(aggregation)))!;
    assert.equal(layers[0].interval[0] < 0, below, `${aggregation}: ${layers[0].interval.join()}`);
  }
});

test('unstable is a rank interval over more than a third of the layers, and it holds the own rank', async () => {
  // Three groups of layers far apart, of sizes 1, 3 and 4 of 8: within a group the ranks are open.
  const bases = [1000, 10, 10.01, 10.02, 1, 1.001, 1.002, 1.003];
  const all = bases.map((base, k) => gramsOf(16, 8, 0.1 * base ** 0.5, 0, base, 20 + k));
  const { task, modulesOf } = taskOf(all);
  const { layers, uncertainty } = (await uncertaintyOf(task, modulesOf, options()))!;
  layers.forEach(({ rankInterval: [low, high], unstable }, k) => {
    assert.equal(unstable, high - low > 8 / 3, `layer ${k}: ${low} to ${high}`);
    const own = 1 + task.layers.filter(({ score }) => score > task.layers[k].score).length;
    assert.ok(low <= own && own <= high && Number.isInteger(low) && Number.isInteger(high));
  });
  assert.deepEqual(layers[0].rankInterval, [1, 1]);
  assert.deepEqual(
    layers.map(({ unstable }) => unstable),
    [false, false, false, false, true, true, true, true],
  );
  assert.equal(uncertainty.unstable, 4);
  assert.deepEqual([uncertainty.level, uncertainty.replicates, uncertainty.halves!.splits], [0.9, 200, 10]);
  assert.ok(
    uncertainty.halves!.low <= uncertainty.halves!.median && uncertainty.halves!.median <= uncertainty.halves!.high,
  );
});

test('four training samples suffice, and replicates scatter about the scores', async () => {
  const four = taskOf([gramsOf(4, 2, 1, 1, 5, 2), gramsOf(4, 2, 1, 1, 7, 3)]);
  assert.notEqual(await uncertaintyOf(four.task, four.modulesOf, options()), null);
  const three = taskOf([gramsOf(3, 2, 1, 1, 5, 2)]);
  assert.equal(await uncertaintyOf(three.task, three.modulesOf, options()), null);
  const { scores, replicates, halves } = (await scoreReplicates(four.task, four.modulesOf, options()))!;
  assert.equal(halves.length, 10);
  scores.forEach((score, row) => {
    assert.ok(Math.abs(score - four.task.layers[row].score) < 1e-9);
    const mean = replicates.reduce((sum, own) => sum + own[row] / replicates.length, 0);
    assert.ok(Math.abs(mean / score - 1) < 1e-9, `${mean}, ${score}`);
  });
  // Two halves have every sample once: their sums of B over both kinds are parts of the whole.
  const one = taskOf([gramsOf(4, 2, 1, 1, 5, 2)]);
  assert.deepEqual((await scoreReplicates(one.task, one.modulesOf, options()))!.halves, [], 'one layer has no order');
});

test('two halves have no sample in common and together all of them', async () => {
  const even = taskOf([gramsOf(8, 4, 0, 0, 5, 1), gramsOf(8, 4, 0, 0, 6, 1)]);
  const { halves } = (await scoreReplicates(even.task, even.modulesOf, options()))!;
  for (const pair of halves) for (const half of pair) assert.deepEqual([...half], [4 * 2 * 5, 4 * 2 * 6]);
  const rows = taskOf([gramsOf(8, 4, 1, 0, 5, 1), gramsOf(8, 4, 1, 0, 6, 2)]);
  const split = (await scoreReplicates(rows.task, rows.modulesOf, options()))!;
  for (const [a, b] of split.halves) {
    // Without scatter of columns a half of them counts half.
    assert.ok(Math.abs(2 * (a[0] + b[0]) - split.scores[0]) < 1e-9);
  }
});
