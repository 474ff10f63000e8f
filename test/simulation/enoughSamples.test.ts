/**
 * How far the number of samples that is said to settle an order may be off, against what it then takes: layers whose
 * gradients differ in size, looked at with twice as many samples each time. Seeded.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { scoreLayer } from '../../server/src/estimators/layerScores.ts';
import { Random } from '../../server/src/random/random.ts';
import { uncertaintyOf } from '../../server/src/run/influence/uncertainty.ts';
import { firstSamples, gramsOf, normals } from './layerScores.ts';

const LAYERS = 12;
const TRAIN = 10;
/** Of the logarithm of a layer's gradients: from hardly to clearly unlike. */
const SPREADS = [0.1, 0.2, 0.3, 0.4, 0.6];
const options = {
  estimator: findEstimator('datainf'),
  damping: { rule: 'mean_square', factor: 0.1 },
  aggregation: 'positive',
} as const;

interface Outcome {
  /** Undefined where the order is settled at first sight. */
  said: number | null | undefined;
  /** Null where 16 times as many samples did not settle it. */
  needed: number | null;
}

async function simulate(spread: number, seed: number): Promise<Outcome> {
  const random = new Random(seed, `enough ${spread}`);
  const direction = normals(30, random);
  const whole = Array.from({ length: LAYERS }, () => {
    const grams = gramsOf({ n: 16 * TRAIN, m: 8 * TRAIN, d: 30, alike: 0.6 }, direction, random);
    const size = Math.exp(spread * random.normal());
    return { ...grams, C: grams.C.map((c) => c * size), K: grams.K.map((k) => k * size * size) };
  });
  const look = async (train: number) => {
    const modules = whole.map((grams) => [{ module: 'q', grams: firstSamples(grams, train, train / 2) }]);
    const layers = modules.map((own, index) => {
      const { score, positive, top25, sum, modules: parts } = scoreLayer(own, { ...options, layerName: 'l' });
      return { index, name: `l${index}`, score, positive, top25, sum, modules: parts };
    });
    const task = { task: 't', layers, train: { samples: train }, validation: { samples: train / 2 } };
    const found = (await uncertaintyOf(task, (layer) => modules[layer], { ...options, seed, replicates: 100 }))!;
    return found.uncertainty;
  };
  const { samplesFactor: said } = await look(TRAIN);
  for (const factor of [1, 2, 4, 8, 16])
    if ((await look(factor * TRAIN)).unstable <= LAYERS / 3) return { said, needed: factor };
  return { said, needed: null };
}

test('the number of samples that is said to settle an order: half to twice as many do in four of five runs', async (t) => {
  const outcomes: Outcome[] = [];
  for (const spread of SPREADS) for (let seed = 0; seed < 6; seed++) outcomes.push(await simulate(spread, seed));
  const counts: Record<string, number> = {};
  for (const { said, needed } of outcomes) counts[`${said}, ${needed}`] = (counts[`${said}, ${needed}`] ?? 0) + 1;
  t.diagnostic(JSON.stringify(counts));
  const told = outcomes.filter(({ said }) => typeof said === 'number');
  // 16 times as many were the most that was tried: where they did not do, 32 times is the least that would.
  const off = told.map(({ said, needed }) => Math.abs(Math.log2((needed ?? 32) / said!)));
  assert.ok(told.length >= 12, `${told.length}`);
  assert.ok(off.filter((doublings) => doublings <= 1).length >= 0.8 * told.length, JSON.stringify(off));
  const hopeless = outcomes.filter(({ said }) => said === null);
  assert.ok(hopeless.length >= 5, `${hopeless.length}`);
  assert.ok(hopeless.every(({ needed }) => (needed ?? 32) >= 8));
});
