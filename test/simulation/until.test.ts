/**
 * Stopping when the order is settled, against a known truth: layers in a true order, and layers that do not differ. The
 * looks are nested as those of a run are. Whenever it stops, a rank interval that misses its layer's true rank must be
 * as rare as at a single look, and layers that do not differ must not be called settled.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { Random } from '../../server/src/random/random.ts';
import { levelFor, lookSizes, openLayers } from '../../server/src/run/influence/until.ts';
import { uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';
import { firstSamples, gramsOf, normals } from './layerScores.ts';

const LAYERS = 8;
const REPEATS = 20;
const SHARE = 0.33;
const sizes = lookSizes(10, 80);
const options = {
  estimator: findEstimator('dot'),
  damping: { rule: 'mean_square', factor: 0.1 },
  aggregation: 'positive',
} as const;

/** @param step by how much a layer's gradients are larger than those of the one below */
async function simulate(step: number, seed: number) {
  const random = new Random(seed, `until ${step}`);
  const direction = normals(30, random);
  let [stopped, missed, claimed] = [0, 0, 0];
  const looks: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const whole = Array.from({ length: LAYERS }, (_, index) => {
      const grams = gramsOf({ n: 80, m: 40, d: 30, alike: 0.6 }, direction, random);
      return { ...grams, C: grams.C.map((c) => c * (1 + step * index)) };
    });
    for (const [at, train] of sizes.entries()) {
      const validation = train / 2;
      const modules = whole.map((grams) => [{ module: 'q', grams: firstSamples(grams, train, validation) }]);
      const layers = modules.map((own, index) => {
        const { score, positive, top25, sum, modules: parts } = scoreLayer(own, { ...options, layerName: 'l' });
        return { index, name: `l${index}`, score, positive, top25, sum, modules: parts };
      });
      const task = { task: 't', layers, train: { samples: train }, validation: { samples: validation } };
      const own = { ...options, seed: repeat, level: levelFor(sizes.length) };
      const found = (await uncertaintyOf(task, (layer) => modules[layer], own))!;
      const judged = layers.map((layer, i) => ({ ...layer, ...found.layers[i] }));
      if (openLayers({ layers: judged }, SHARE) > LAYERS / 3) continue;
      stopped += 1;
      looks.push(at);
      for (const [index, { rankInterval }] of found.layers.entries()) {
        claimed += 1;
        const rank = LAYERS - index;
        if (rank < rankInterval[0] || rank > rankInterval[1]) missed += 1;
      }
      break;
    }
  }
  return { stopped: stopped / REPEATS, missed: missed / Math.max(1, claimed), looks };
}

test('layers in a true order: a rank outside its interval is as rare as at a single look, whenever it stops', async (t) => {
  const { stopped, missed, looks } = await simulate(0.35, 1);
  t.diagnostic(JSON.stringify({ stopped, missed, looks: looks.join(' ') }));
  assert.ok(stopped > 0.5, `stopped in ${stopped}`);
  assert.ok(new Set(looks).size > 1, 'it stops at different looks');
  assert.ok(missed <= 0.1, `missed ${missed}`);
});

test('layers that do not differ are not called settled', async () => {
  const { stopped } = await simulate(0, 2);
  assert.equal(stopped, 0);
});

test('looks double, and a short last step is joined to its neighbour', () => {
  assert.deepEqual(lookSizes(10, 80), [10, 20, 40, 80]);
  assert.deepEqual(lookSizes(40, 2000), [40, 80, 160, 320, 640, 1280, 2000]);
  assert.deepEqual(lookSizes(40, 90), [40, 90]);
  assert.deepEqual(lookSizes(40, 40), [40]);
  assert.equal(levelFor(1), 0.9);
  assert.ok(Math.abs(levelFor(5) - 0.98) < 1e-12);
});
