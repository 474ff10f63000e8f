/**
 * Optimisers, schedules and clipping against torch (test/reference/training/make.py), mini-batches against their
 * promises.
 */
import type { OptimizerSettings } from '../../protocol/optimizer.ts';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { clipByNorm } from '../../server/src/training/clipping.ts';
import { initialFactors } from '../../server/src/training/lora.ts';
import { miniBatches, stepsPerEpoch } from '../../server/src/training/miniBatches.ts';
import { optimizerDefaults, optimizers } from '../../server/src/training/optimizers.ts';
import type { Parameters } from '../../server/src/training/parameters.ts';
import { learningRateAt } from '../../server/src/training/schedule.ts';

const reference = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/training/training.json'), 'utf8'),
) as {
  optimisers: Record<string, number[][]> & { clip: { norm: number; gradients: number[][] } };
};

const cases: Record<string, Partial<OptimizerSettings> & { learningRate: number }> = {
  adamw_defaults: { learningRate: 0.05 },
  adamw_all: { learningRate: 0.03, weightDecay: 0.2, betas: [0.8, 0.95], epsilon: 1e-4 },
  sgd: { id: 'sgd', learningRate: 0.02, weightDecay: 0 },
  sgd_all: { id: 'sgd', learningRate: 0.02, weightDecay: 0.1, momentum: 0.9 },
};

for (const [name, given] of Object.entries(cases)) {
  test(`${name}: 20 steps agree with torch`, () => {
    const settings = { ...optimizerDefaults, ...given };
    const [a, b] = [
      [0.5, 2, 0.01, 7],
      [1, -2, 0.3, 0],
    ];
    const x = Float64Array.of(0, 1, -1, 2);
    const optimizer = optimizers[settings.id].create(settings);
    for (const expected of reference.optimisers[name]) {
      const gradient = x.map((v, i) => 2 * a[i] * (v - b[i]) + 3 * Math.cos(3 * v));
      optimizer.step(new Map([['x', x]]), new Map([['x', gradient]]), settings.learningRate);
      expected.forEach((value, i) => assert.ok(Math.abs(x[i] - value) < 1e-6, `${x[i]} is not ${value}`));
    }
    const last = reference.optimisers[name].at(-1)!;
    assert.ok(last.every((value, i) => Math.abs(x[i] - value) < 1e-12));
  });
}

test('a missing gradient is named', () => {
  for (const rule of Object.values(optimizers)) {
    const optimizer = rule.create({ ...optimizerDefaults, learningRate: 1 });
    assert.throws(() => optimizer.step(new Map([['w', new Float64Array(2)]]), new Map(), 1), /gradient of w has no/);
  }
});

test('clipping by the global norm agrees with torch and leaves small gradients alone', () => {
  const { norm, gradients } = reference.optimisers.clip;
  const given: Parameters = new Map([
    ['a', Float64Array.of(3, 4)],
    ['b', Float64Array.of(12)],
  ]);
  assert.ok(Math.abs(clipByNorm(given, 2) - norm) < 1e-12);
  [...given.values()].forEach((g, p) => g.forEach((v, i) => assert.ok(Math.abs(v - gradients[p][i]) < 1e-12)));
  const small: Parameters = new Map([['a', Float64Array.of(0.3, 0.4)]]);
  clipByNorm(small, 2);
  assert.deepEqual([...small.get('a')!], [0.3, 0.4]);
});

test('learning rates: warm-up and linear decay as in transformers', () => {
  const rates = (schedule: 'constant' | 'linear', warmupSteps: number) =>
    Array.from({ length: 6 }, (_, step) => learningRateAt({ learningRate: 2, schedule, warmupSteps }, step, 6));
  assert.deepEqual(rates('constant', 0), [2, 2, 2, 2, 2, 2]);
  assert.deepEqual(rates('constant', 2), [0, 1, 2, 2, 2, 2]);
  assert.deepEqual(rates('linear', 2), [0, 1, 2, 1.5, 1, 0.5]);
  assert.deepEqual(learningRateAt({ learningRate: 1, schedule: 'linear', warmupSteps: 3 }, 0, 3), 0);
});

test('mini-batches: every epoch holds every member once, and a subset only leaves samples out', () => {
  const take = (members: number[], count: number, seed = 5) => {
    const batches = miniBatches(10, members, 4, seed);
    return Array.from({ length: count }, () => batches.next().value);
  };
  const all = Array.from({ length: 10 }, (_, i) => i);
  const full = take(all, 6);
  assert.deepEqual(
    full
      .slice(0, 3)
      .flat()
      .toSorted((a, b) => a - b),
    all,
  );
  assert.deepEqual(
    full
      .slice(3)
      .flat()
      .toSorted((a, b) => a - b),
    all,
  );
  assert.notDeepEqual(full.slice(0, 3), full.slice(3));
  assert.deepEqual(take(all, 6), full);
  assert.notDeepEqual(take(all, 6, 6), full);
  const without = all.filter((i) => i !== 7);
  assert.deepEqual(
    take(without, 6),
    full.map((batch) => batch.filter((i) => i !== 7)),
  );
  assert.deepEqual(miniBatches(3, [2, 0], 3, 0).next().value, [0, 2]);
  assert.equal(stepsPerEpoch(10, 4), 3);
  assert.equal(stepsPerEpoch(10, 400), 1);
  assert.throws(() => miniBatches(3, [], 1, 0).next(), /at least one/);
  assert.throws(() => miniBatches(3, [3], 1, 0).next(), /samples \[3\]/);
});

test('initial factors: A uniform in 1/sqrt(in), B zero, a module draws the same whatever else is trained', () => {
  const shape = (module: string) => ({ module, rows: 6, columns: 400, rank: 5 });
  const both = initialFactors([shape('a.q'), shape('a.k')], 1);
  assert.deepEqual(both.get('a.k.lora_A.weight'), initialFactors([shape('a.k')], 1).get('a.k.lora_A.weight'));
  assert.notDeepEqual(both.get('a.k.lora_A.weight'), both.get('a.q.lora_A.weight'));
  const A = both.get('a.q.lora_A.weight')!;
  const bound = 1 / Math.sqrt(400);
  assert.ok(A.every((v) => Math.abs(v) <= bound));
  const variance = A.reduce((sum, v) => sum + v * v, 0) / A.length;
  assert.ok(Math.abs(variance / (bound ** 2 / 3) - 1) < 0.1, `variance ${variance}`);
  assert.ok(both.get('a.q.lora_B.weight')!.every((v) => v === 0));
  assert.equal(both.get('a.q.lora_B.weight')!.length, 30);
});
