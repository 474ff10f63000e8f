/**
 * The spread of an allocation against a known truth: layers whose gradients differ in size, so that the allocation of
 * the mean scores is known, and how often the spreads of drawn data sets hold it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AllocationRequest } from '../../protocol/allocation.ts';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { Random } from '../../server/src/random/random.ts';
import { withSpread } from '../../server/src/run/decide/spread.ts';
import { replicatesOf } from '../../server/src/run/influence/uncertainty.ts';
import { gramsOf, normals } from './layerScores.ts';

const LAYERS = 10;
const REPEATS = 24;
const options = {
  estimator: findEstimator('dot'),
  damping: { rule: 'mean_square', factor: 0.1 },
  aggregation: 'positive',
} as const;
const layers = Array.from({ length: LAYERS }, (_, index) => ({
  index,
  name: `l${index}`,
  modules: [{ name: 'q', rows: 10, columns: 10 }],
}));
const requests: AllocationRequest[] = [
  { kind: 'experts', total: 50 },
  { kind: 'rank', rule: 'released', total: 80 },
  { kind: 'sparsity' },
  { kind: 'tune', count: 4 },
];

/** One data set: Grams of every layer, whose gradients are larger the higher the layer. */
function drawSet(alike: number, direction: Float64Array, random: Random) {
  return layers.map(({ index }) => {
    const grams = gramsOf({ n: 24, m: 10, d: 40, alike }, direction, random);
    const size = 1 + 0.08 * index;
    return [{ module: 'q', grams: { ...grams, C: grams.C.map((c) => c * size) } }];
  });
}

const scoresOf = (set: ReturnType<typeof drawSet>) =>
  set.map((modules) => scoreLayer(modules, { ...options, layerName: 'l' }).score);
const valuesOf = (request: AllocationRequest, values: readonly number[]) => allocate(request, { layers, values });

for (const alike of [0, 0.9]) {
  test(`spreads hold the allocation of the mean scores, ${alike === 0 ? 'independent' : 'alike'} gradients`, async () => {
    const random = new Random(3, `spread ${alike}`);
    const direction = normals(40, random);
    const truths = Array.from({ length: 200 }, () => scoresOf(drawSet(alike, direction, random)));
    const mean = layers.map(({ index }) => truths.reduce((sum, scores) => sum + scores[index] / truths.length, 0));
    const held = requests.map(() => 0);
    let open = 0;
    for (let seed = 0; seed < REPEATS; seed++) {
      const set = drawSet(alike, direction, random);
      const rows = set.map((modules, index) => {
        const { score, positive, top25, sum, modules: parts } = scoreLayer(modules, { ...options, layerName: 'l' });
        return { index, name: `l${index}`, score, positive, top25, sum, modules: parts };
      });
      const task = { task: 't', layers: rows, train: { samples: 24 }, validation: { samples: 10 } };
      const { scores, replicates } = (await replicatesOf(task, (l) => set[l], { ...options, seed, replicates: 100 }))!;
      const drawn = replicates.map((own) => Array.from(own, (score) => Math.max(0, score)));
      for (const [r, request] of requests.entries()) {
        const found = withSpread(valuesOf(request, [...scores]), request, layers, drawn);
        const truth = valuesOf(request, mean).layers;
        for (const [l, { spread, value }] of found.layers.entries()) {
          assert.ok(spread![0] <= value && value <= spread![1], 'its own value is inside');
          if (spread![0] - 1e-9 <= truth[l].value && truth[l].value <= spread![1] + 1e-9) held[r]++;
          if (request.kind === 'tune' && spread![0] !== spread![1]) open++;
        }
      }
    }
    const shares = held.map((count) => count / (REPEATS * LAYERS));
    // The share of 240 scatters by 2 %.
    for (const [r, share] of shares.entries())
      assert.ok(share >= 0.8, `${requests[r].kind}: 90 % spreads hold the allocation of the mean scores in ${share}`);
    assert.ok(open < 0.95 * REPEATS * LAYERS, 'not everything is open');
  });
}
